//! Chains that RFC 5280 forbids, each link of which is signed as it should be.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, DnValue, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints,
};

use crate::Setup;
use crate::mutual::assert_refused;
use crate::support::{Authority, Leaf, Pki, Profile};

crate::on_every_verifying_backend! {
    a_host_in_the_common_name_is_constrained
    an_email_address_in_the_subject_is_constrained
    names_that_are_permitted_are_served
    constraints_of_the_listed_ca_hold
    an_intermediate_has_to_be_a_ca
    an_intermediate_has_to_be_for_signing
    a_listed_ca_has_to_be_for_signing
    a_listed_ca_has_to_be_for_clients
    a_listed_ca_limits_how_many_are_below
    a_client_has_to_be_for_signing
    a_netscape_certificate_has_to_be_for_clients
    a_key_for_agreement_is_served
    listed_cas_of_one_name_are_told_apart_by_key
}

fn a_host_in_the_common_name_is_constrained(setup: Setup) {
    for name in ["web.prod.test", "dept.test", "web.dept.test.prod.test"] {
        refused(setup, |root| {
            let dept = root.odd_subordinate("Dept CA", |ca| permit(ca, dns(".dept.test")));
            dept.issue(&nameless(name)).with_chain(&[&dept])
        });
    }
    refused(setup, |root| {
        let dept = root.odd_subordinate("Dept CA", |ca| exclude(ca, dns("prod.test")));
        dept.issue(&nameless("web.prod.test")).with_chain(&[&dept])
    });
}

fn an_email_address_in_the_subject_is_constrained(setup: Setup) {
    refused(setup, |root| {
        let dept = root.odd_subordinate("Dept CA", |ca| permit(ca, email("dept.test")));
        let leaf = dept.issue_odd(&nameless("alice"), |leaf| has_email(leaf, "alice@prod.test"));
        leaf.with_chain(&[&dept])
    });
}

fn names_that_are_permitted_are_served(setup: Setup) {
    for name in ["web.dept.test", "alice", "Alice at web.prod.test"] {
        served(setup, |root| {
            let dept = root.odd_subordinate("Dept CA", |ca| permit(ca, dns(".dept.test")));
            dept.issue(&nameless(name)).with_chain(&[&dept])
        });
    }
    served(setup, |root| {
        let dept = root.odd_subordinate("Dept CA", |ca| permit(ca, email("dept.test")));
        let leaf = dept.issue_odd(&nameless("alice"), |leaf| has_email(leaf, "alice@dept.test"));
        leaf.with_chain(&[&dept])
    });
}

fn constraints_of_the_listed_ca_hold(setup: Setup) {
    let root = Authority::odd_root("Odd CA", |ca| permit(ca, dns(".dept.test")));
    refused_below(setup, &root, &root.issue(&nameless("web.prod.test")));
    served_below(setup, &root, &root.issue(&nameless("web.dept.test")));
}

/// Even one whose key may sign certificates.
fn an_intermediate_has_to_be_a_ca(setup: Setup) {
    refused(setup, |root| {
        let department = root.odd_subordinate("Department CA", |ca| ca.is_ca = IsCa::NoCa);
        department.issue(&nameless("alice")).with_chain(&[&department])
    });
}

fn an_intermediate_has_to_be_for_signing(setup: Setup) {
    refused(setup, |root| {
        let department = root.odd_subordinate("Department CA", signs_no_certificates);
        department.issue(&nameless("alice")).with_chain(&[&department])
    });
}

fn a_listed_ca_has_to_be_for_signing(setup: Setup) {
    let root = Authority::odd_root("Odd CA", signs_no_certificates);
    refused_below(setup, &root, &root.issue(&nameless("alice")));
}

fn a_listed_ca_has_to_be_for_clients(setup: Setup) {
    let root = Authority::odd_root("Odd CA", |ca| {
        ca.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    refused_below(setup, &root, &root.issue(&nameless("alice")));
}

fn a_listed_ca_limits_how_many_are_below(setup: Setup) {
    let root = Authority::odd_root("Odd CA", |ca| at_most(ca, 0));
    let department = root.subordinate("Department CA");
    let leaf = department.issue(&nameless("alice")).with_chain(&[&department]);
    refused_below(setup, &root, &leaf);
    served_below(setup, &root, &root.issue(&nameless("alice")));
}

fn a_client_has_to_be_for_signing(setup: Setup) {
    refused(setup, |root| usable(root, KeyUsagePurpose::KeyEncipherment));
}

/// What there was before extended key usages.
fn a_netscape_certificate_has_to_be_for_clients(setup: Setup) {
    // Bit strings: sslServer, sslClient.
    let issue = |root: &Authority, bits: u8, unused: u8| {
        let kind = CustomExtension::from_oid_content(NETSCAPE_TYPE, vec![3, 2, unused, bits]);
        root.issue_odd(&nameless("alice"), |leaf| leaf.custom_extensions.push(kind))
    };
    refused(setup, |root| issue(root, 0x40, 6));
    served(setup, |root| issue(root, 0x80, 7));
}

/// As it is for OpenSSL, and for RFC 5280 §4.2.1.12.
fn a_key_for_agreement_is_served(setup: Setup) {
    served(setup, |root| usable(root, KeyUsagePurpose::KeyAgreement));
}

fn listed_cas_of_one_name_are_told_apart_by_key(setup: Setup) {
    let pki = Pki::new();
    let twins = [(); 2].map(|()| Authority::root("Twin CA"));
    let cas: String = twins.iter().map(Authority::pem).collect();
    for twin in &twins {
        served_by(setup, &pki, &twin.issue(&nameless("alice").naming_issuer_key()), &cas);
    }
}

/// What one backend lets in and the other refuses: the table in `backends/README.md`, in its order.
#[test]
fn the_page_tells_where_the_backends_differ() {
    let found = differences().map(|(what, make)| {
        let [rustls, openssl] = [Setup::RUSTLS_SERVER_13, Setup::OPENSSL_SERVER_13].map(|setup| {
            let pki = Pki::new();
            let (leaf, more) = make(&pki.ca);
            let (files, cas) = (pki.save("odd", &leaf), pki.write("cas.pem", pki.ca.pem() + &more));
            let server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
            let curl = setup.client(&pki).and(&["-E", &files.both]);
            if curl.fetch(&server.url).exit == 0 { "let in" } else { "refused" }
        });
        format!("| {what} | {rustls} | {openssl} |")
    });
    let page = include_str!("../../backends/README.md");
    let table =
        page.lines().skip_while(|line| !line.starts_with("| a client whose chain is signed"));
    let rows: Vec<_> = table.skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows, found);
}

fn differences() -> [Case; 8] {
    [
        ("a CA with `pathlen:0` issued itself a new certificate", |root| {
            let names_key = |ca: &mut CertificateParams| {
                ca.use_authority_key_identifier_extension = true;
            };
            let old = root.odd_subordinate("Rolling CA", |ca| at_most(ca, 0));
            let new = old.odd_subordinate("Rolling CA", names_key);
            let leaf = new.issue(&nameless("alice").naming_issuer_key());
            below_ours(leaf.with_chain(&[&new, &old]))
        }),
        (
            "an intermediate permits email addresses, and an alternative name is one of them",
            |root| {
                let dept = root.odd_subordinate("Dept CA", |ca| permit(ca, email("dept.test")));
                let profile = nameless("alice").names(&["email:alice@dept.test"]);
                below_ours(dept.issue(&profile).with_chain(&[&dept]))
            },
        ),
        ("an intermediate permits a directory name, and the client's is within it", |root| {
            let mut company = rcgen::DistinguishedName::new();
            company.push(DnType::OrganizationName, "Company");
            let company = GeneralSubtree::DirectoryName(company);
            let dept = root.odd_subordinate("Dept CA", |ca| permit(ca, company));
            below_ours(dept.issue(&nameless("alice")).with_chain(&[&dept]))
        }),
        ("the client's certificate policies are critical", |root| {
            // Any policy.
            let any = vec![0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0];
            let mut policies = CustomExtension::from_oid_content(POLICIES, any);
            policies.set_criticality(true);
            let leaf =
                root.issue_odd(&nameless("alice"), |leaf| leaf.custom_extensions.push(policies));
            below_ours(leaf)
        }),
        ("the listed CA's extended key usage is any, and no other", |_| {
            let any = Authority::odd_root("Any CA", |ca| {
                ca.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
            });
            (any.issue(&nameless("alice")), any.pem())
        }),
        ("the listed CA has a critical extension that is not known", |_| {
            let odd = Authority::odd_root("Odd CA", |ca| {
                let mut unknown = CustomExtension::from_oid_content(UNKNOWN, vec![5, 0]);
                unknown.set_criticality(true);
                ca.custom_extensions.push(unknown);
            });
            (odd.issue(&nameless("alice")), odd.pem())
        }),
        ("a forged intermediate of the right name was sent before the real one", |root| {
            let department = root.subordinate("Department CA");
            let forged = Authority::root("Other CA").subordinate("Department CA");
            below_ours(department.issue(&nameless("alice")).with_chain(&[&forged, &department]))
        }),
        (
            "it is from the second of two listed CAs of one name, and names no key of its issuer",
            |_| {
                let [first, second] = [(); 2].map(|()| Authority::root("Twin CA"));
                (second.issue(&nameless("alice")), first.pem() + &second.pem())
            },
        ),
    ]
}

/// What is odd, and what makes a client's certificate and, in PEM, a CA that is listed beside ours.
type Case = (&'static str, fn(&Authority) -> (Leaf, String));

fn below_ours(leaf: Leaf) -> (Leaf, String) {
    (leaf, String::new())
}

const UNKNOWN: &[u64] = &[1, 3, 6, 1, 4, 1, 99_999, 1];
const NETSCAPE_TYPE: &[u64] = &[2, 16, 840, 1, 113_730, 1, 1];
const POLICIES: &[u64] = &[2, 5, 29, 32];

fn nameless(common_name: &str) -> Profile {
    Profile::client(common_name).names(&[])
}

fn usable(root: &Authority, usage: KeyUsagePurpose) -> Leaf {
    root.issue_odd(&nameless("alice"), |leaf| leaf.key_usages = vec![usage])
}

fn signs_no_certificates(ca: &mut CertificateParams) {
    ca.key_usages = vec![KeyUsagePurpose::DigitalSignature];
}

fn at_most(ca: &mut CertificateParams, below: u8) {
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
}

fn dns(base: &str) -> GeneralSubtree {
    GeneralSubtree::DnsName(base.to_owned())
}

fn email(base: &str) -> GeneralSubtree {
    GeneralSubtree::Rfc822Name(base.to_owned())
}

fn permit(ca: &mut CertificateParams, base: GeneralSubtree) {
    let (permitted_subtrees, excluded_subtrees) = (vec![base], Vec::new());
    ca.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
}

fn exclude(ca: &mut CertificateParams, base: GeneralSubtree) {
    let (permitted_subtrees, excluded_subtrees) = (Vec::new(), vec![base]);
    ca.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
}

fn has_email(leaf: &mut CertificateParams, address: &str) {
    let kind = DnType::CustomDnType(vec![1, 2, 840, 113_549, 1, 9, 1]);
    leaf.distinguished_name.push(kind, DnValue::Ia5String(address.try_into().unwrap()));
}

/// By the CA of every test.
fn refused(setup: Setup, make: impl Fn(&Authority) -> Leaf) {
    let pki = Pki::new();
    refused_by(setup, &pki, &make(&pki.ca), &pki.ca.pem());
}

fn served(setup: Setup, make: impl Fn(&Authority) -> Leaf) {
    let pki = Pki::new();
    served_by(setup, &pki, &make(&pki.ca), &pki.ca.pem());
}

/// By a CA of its own.
fn refused_below(setup: Setup, root: &Authority, leaf: &Leaf) {
    let pki = Pki::new();
    refused_by(setup, &pki, leaf, &(pki.ca.pem() + &root.pem()));
}

fn served_below(setup: Setup, root: &Authority, leaf: &Leaf) {
    let pki = Pki::new();
    served_by(setup, &pki, leaf, &(pki.ca.pem() + &root.pem()));
}

fn refused_by(setup: Setup, pki: &Pki, leaf: &Leaf, cas: &str) {
    let (files, cas) = (pki.save("refused", leaf), pki.write("cas.pem", cas));
    let mut server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
    assert_refused(setup, pki, &mut server, Some(&files));
}

fn served_by(setup: Setup, pki: &Pki, leaf: &Leaf, cas: &str) {
    let (files, cas) = (pki.save("served", leaf), pki.write("cas.pem", cas));
    let server = setup.serve(&[&pki.server_args()[..], &["--client-ca", &cas]].concat());
    let curl = setup.client(pki).and(&["-E", &files.both]);
    curl.fetch(&server.url).assert_top_level();
}
