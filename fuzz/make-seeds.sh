#!/bin/sh
# Makes the seeds of the targets that read certificates and keys, anew: sh fuzz/make-seeds.sh
# The keys are for nothing else. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")/seeds"
seeds=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for target in pem pkcs12 certificate revocation; do
    rm -rf "${seeds:?}/$target"
    mkdir -p "$seeds/$target"
done

p256="-algorithm EC -pkeyopt ec_paramgen_curve:P-256"
rsa="-algorithm RSA -pkeyopt rsa_keygen_bits:1024" # small seeds are mutated better

# key NAME OPTIONS…
key() { name=$1; shift; openssl genpkey "$@" -out "$name.key" 2>/dev/null; }
# root NAME SUBJECT OPTIONS…: a certificate that signs itself
root() {
    name=$1 subject=$2; shift 2
    openssl req -x509 -new -key "$name.key" -subj "$subject" -days 36500 -out "$name.crt" "$@"
}
# issue NAME ISSUER SUBJECT EXTENSIONS OPTIONS…
issue() {
    name=$1 issuer=$2 subject=$3; printf '%b' "$4" >ext; shift 4
    openssl req -new -key "$name.key" -subj "$subject" "$@" -out csr
    openssl x509 -req -in csr -CA "$issuer.crt" -CAkey "$issuer.key" -days 36500 -extfile ext \
        -out "$name.crt" 2>/dev/null
}

# shellcheck disable=SC2086 # lists of words
{
    key ca $p256; key middle $p256; key server $p256; key rsa $rsa
    key ed -algorithm ED25519; key odd $p256; key p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
}
root ca '/C=CT/O=Company/CN=ca'
ca='basicConstraints=critical,CA:true\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
leaf='basicConstraints=CA:false\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
issue middle ca /CN=middle "$ca"
issue server middle '/C=CT/ST=State/L=City/O=Company/OU=Department/CN=server.localhost' \
    "${leaf}extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:localhost,DNS:*.a,IP:127.0.0.1,IP:::1\n"
issue rsa ca /CN=rsa "$leaf"
issue p384 ca /CN=p384 ''
# All kinds of names, and what has to be escaped.
issue odd ca '/CN=a,b\+c=d\/ü"<>;#\\ /O= x /emailAddress=a@b.c/DC=d+UID=e' \
    'subjectAltName=email:a@b.c,URI:https://a/b,RID:1.2.3.4,dirName:dir,otherName:1.2.3;UTF8:x\n[dir]\nCN=dir\n' \
    -utf8 -multivalue-rdn
root ed /CN=ed
openssl req -new -key rsa.key -subj / -out csr
openssl x509 -req -in csr -signkey rsa.key -days 36500 -out empty.crt 2>/dev/null # version 1, no name
openssl req -x509 -new -key ca.key -subj /CN=serial -set_serial -129 -days 2900000 -out late.crt

for name in ca middle server rsa p384 odd ed empty late; do
    openssl x509 -in "$name.crt" -outform DER -out "$seeds/certificate/$name"
done

pem=$seeds/pem
marker='\n%%%%\n'
together() { cat "$1"; printf "$marker"; cat "$2"; }
openssl ec -in server.key -out server.sec1 2>/dev/null
openssl ec -in server.key -conv_form compressed -out server.short 2>/dev/null
openssl rsa -in rsa.key -traditional -out rsa.pkcs1 2>/dev/null
openssl rsa -in rsa.key -traditional -aes128 -passout pass:fuzz -out rsa.old 2>/dev/null
openssl pkcs8 -topk8 -in server.key -passout pass:fuzz -iter 2 -out server.enc
openssl pkcs8 -topk8 -in server.key -passout pass:fuzz -scrypt -scrypt_N 16 -scrypt_r 1 \
    -scrypt_p 1 -out server.scrypt
openssl pkcs8 -topk8 -in server.key -passout pass:fuzz -v2 des3 -v2prf hmacWithSHA1 -iter 2 -out server.des
openssl pkey -in server.key -pubout -out public
openssl req -new -key server.key -subj /CN=r -out request
openssl crl2pkcs7 -nocrl -certfile ca.crt -out pkcs7
cat server.crt middle.crt ca.crt >chain
cat ca.crt middle.crt server.crt server.crt >mixed
together chain server.key >"$pem/chain"
together mixed server.sec1 >"$pem/out-of-order"
together server.crt server.short >"$pem/compressed"
together rsa.crt rsa.pkcs1 >"$pem/pkcs1"
together rsa.crt rsa.old >"$pem/traditional"
together server.crt server.enc >"$pem/encrypted"
together server.crt server.scrypt >"$pem/scrypt"
together server.crt server.des >"$pem/des3"
together rsa.crt server.key >"$pem/mismatch"
{ cat rsa.crt; together server.crt server.key; } >"$pem/stray"
together public request >"$pem/neither"
cat ed.key ed.crt >"$pem/one-file"
cat p384.crt p384.key rsa.key >"$pem/two-keys"
sed 's/$/\r/' ca.crt >"$pem/crlf"
cat pkcs7 ca.crt >"$pem/cas"
openssl x509 -in ca.crt -outform DER -out "$pem/der"

p12=$seeds/pkcs12
# pack FILE PASSWORD OPTIONS…
pack() {
    file=$1 password=$2; shift 2
    { echo "$password"; openssl pkcs12 -export -passout "pass:$password" "$@"; } \
        >"$p12/$file"
}
server="-inkey server.key -in server.crt"
# shellcheck disable=SC2086 # lists of words
{
    # Without encryption and MAC, what is inside can be reached by mutation.
    pack open '' $server -certfile chain -keypbe NONE -certpbe NONE -nomac
    pack open-rsa '' -inkey rsa.key -in rsa.crt -keypbe NONE -certpbe NONE -nomac -name rsa
    pack open-ed '' -inkey ed.key -in ed.crt -keypbe NONE -certpbe NONE -nomac
    pack open-certificates '' -nokeys -in chain -certpbe NONE -nomac
    pack open-key '' -nocerts -inkey server.key -keypbe NONE -nomac
    pack no-mac fuzz $server -iter 2 -nomac
    pack modern fuzz $server -certfile middle.crt -iter 2 -name server
    pack sha1 fuzz $server -iter 2 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
    pack empty-password '' $server -iter 2
    pack only-mac fuzz $server -iter 2 -keypbe NONE -certpbe NONE -macalg sha512
}

revocation=$seeds/revocation
cat chain server.key >"$revocation/identity"
serial=$(openssl x509 -in server.crt -noout -serial)
serial=${serial#*=}
good="V\t21000101000000Z\t\t$serial\tunknown\t/CN=server\n"
revoked="R\t21000101000000Z\t250101000000Z,keyCompromise\t$serial\tunknown\t/CN=server\n"
# respond FILE INDEX OPTIONS…: the server answers for its CA, which nobody notices who knows neither
respond() {
    file=$1; printf '%b' "$2" >index.txt; shift 2
    openssl ocsp -index index.txt -rsigner server.crt -rkey server.key -CA middle.crt \
        -issuer middle.crt -cert server.crt -respout "$revocation/$file" "$@" 2>/dev/null >&2
}
respond good "$good" -ndays 36500
respond good-sha256 "$good" -ndays 36500 -sha256 -cert server.crt -resp_key_id -resp_no_certs
respond good-endless "$good"
respond several "$good" -ndays 36500 -serial 0x7f
respond revoked "$revoked" -ndays 36500
respond unknown '' -ndays 36500
printf '\060\003\012\001\003' >"$revocation/try-later"
{ echo '-----BEGIN OCSP RESPONSE-----'; base64 "$revocation/good"; echo '-----END OCSP RESPONSE-----'; } \
    >"$revocation/response-pem"
# list FILE EXTENSIONS OPTIONS…
list() {
    file=$1; shift
    printf '%b' "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ncertificate=ca.crt\n\
private_key=ca.key\ndefault_md=sha256\n[e]\nauthorityKeyIdentifier=keyid\n$1\n" >ca.cnf
    openssl ca -config ca.cnf -gencrl -crldays 36500 -crlexts e -out "$revocation/$file" 2>/dev/null
}
printf '01\n' >number
printf '%b' "$revoked" >index.txt
list list ''
list delta '2.5.29.27=critical,DER:020101'
list indirect 'issuingDistributionPoint=critical,@p\n[p]\nindirectCRL=TRUE'
list point 'issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://a/b'
: >index.txt
list nothing ''
openssl crl -in "$revocation/list" -outform DER -out "$revocation/list-der"
cat "$revocation/list" ca.crt "$revocation/nothing" >"$revocation/lists"
