//! The same requests, of the same folder, to nginx: where the answers differ, this says why.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::TcpStream;

use crate::support::programs::{Running, directory, own_address, system_server};
use crate::{Answer, DATE, Folder, MODIFIED, Served, bytes, modified, request};

/// nginx for a folder. It ends when this goes out of scope.
struct Nginx {
    address: String,
    running: Running,
}

impl Nginx {
    fn new(folder: &Folder) -> Self {
        let (dir, address) = (directory(), own_address());
        let conf = include_str!("nginx.conf")
            .replace("DIR", dir.path().to_str().unwrap())
            .replace("ROOT", folder.path().to_str().unwrap())
            .replace("ADDRESS", &address);
        let file = dir.path().join("nginx.conf");
        fs::write(&file, conf).unwrap();
        let mut command = system_server("nginx");
        command.arg("-c").arg(file).arg("-p").arg(dir.path()).args(["-e", "stderr"]);
        let mut running = Running::start(command, dir);
        running.until_ready(|_| TcpStream::connect((&*address, 8080)).is_ok());
        Self { address, running }
    }

    fn ask(&self, method: &str, target: &str, fields: &[&str]) -> Answer {
        use std::io::{Read, Write};
        let mut tcp = TcpStream::connect((&*self.address, 8080)).unwrap();
        tcp.write_all(request(method, target, fields).as_bytes()).unwrap();
        let mut bytes = Vec::new();
        tcp.read_to_end(&mut bytes).unwrap();
        assert!(!bytes.is_empty(), "nginx says nothing: {}", self.running.log());
        Answer::read(&bytes)
    }
}

/// What there is to say about an answer: the status, the fields that files are answered with, and the
/// body of what is a success.
type Told = BTreeMap<&'static str, String>;

fn told(answer: &Answer) -> Told {
    let mut told = Told::new();
    told.insert("status", answer.status.to_string());
    let redirect = answer.field("location").map(|location| ("location", location));
    let fields = ["content-encoding", "content-range", "last-modified"];
    let fields = fields.into_iter().filter_map(|name| Some((name, answer.field(name)?)));
    told.extend(fields.chain(redirect).map(|(name, value)| (name, value.to_ascii_lowercase())));
    // How it is made is everybody's own matter.
    if let Some(etag) = answer.field("etag") {
        told.insert("etag", if etag.starts_with("W/") { "weak" } else { "strong" }.to_owned());
    }
    if answer.status < 300 {
        if answer.status == 200 && answer.field("content-encoding").is_none() {
            // nginx does not say so of a part, and takes no ranges of a copy.
            told.insert("accept-ranges", answer.field("accept-ranges").unwrap_or("-").to_owned());
        }
        let kind = answer.field("content-type").unwrap_or_default();
        let boundary = kind.split_once("boundary=").map(|(_, boundary)| boundary);
        let plain = |text: &str| boundary.map_or(text.to_owned(), |b| text.replace(b, "BOUNDARY"));
        told.insert("content-type", plain(kind).to_ascii_lowercase());
        let body = plain(&String::from_utf8_lossy(&answer.body));
        let start: String = body.chars().take(20).collect();
        told.insert("body", format!("{start:?}, {:x}", hash(&body)));
        if boundary.is_none() {
            told.insert("content-length", answer.field("content-length").unwrap_or("-").to_owned());
        }
    }
    told
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Requests that are answered in the same way. How errors look, `Vary` and `Allow`, which nginx leaves
/// out, and `X-Content-Type-Options` are not compared.
const SAME: &[(&str, &str, &[&str])] = &[
    ("GET", "/a.txt", &[]),
    ("HEAD", "/a.txt", &[]),
    ("GET", "/", &[]),
    ("GET", "/?a=b", &[]),
    ("GET", "/a%2etxt", &[]),
    ("GET", "/sub/../a.txt", &[]),
    ("GET", "/empty.txt", &[]),
    ("GET", "/a.html", &[]),
    ("GET", "/a.json", &[]),
    ("GET", "/a.png", &[]),
    ("GET", "/a.svgz.unknown", &[]),
    ("GET", "/large.bin", &[]),
    ("GET", "/none", &[]),
    ("GET", "/none/", &[]),
    ("GET", "/a.txt/", &[]),
    ("GET", "/a.txt/x", &[]),
    ("GET", "/A.TXT", &[]),
    // Folders.
    ("GET", "/sub", &[]),
    ("GET", "/sub?a=b", &[]),
    ("HEAD", "/sub", &[]),
    ("GET", "/bare", &[]),
    ("GET", "/sub/", &[]),
    // Conditions.
    ("GET", "/a.txt", &["If-None-Match: ETAG"]),
    ("HEAD", "/a.txt", &["If-None-Match: ETAG"]),
    ("GET", "/a.txt", &["If-None-Match: W/ETAG"]),
    ("GET", "/a.txt", &["If-None-Match: \"x\", ETAG"]),
    ("GET", "/a.txt", &["If-None-Match: *"]),
    ("GET", "/a.txt", &["If-None-Match: \"x\""]),
    ("GET", "/a.txt", &["If-Match: ETAG"]),
    ("GET", "/a.txt", &["If-Match: *"]),
    ("GET", "/a.txt", &["If-Match: \"x\""]),
    ("GET", "/a.txt", &["If-Match: W/ETAG"]),
    ("GET", "/a.txt", &["If-Modified-Since: DATE"]),
    ("GET", "/a.txt", &["If-Modified-Since: BEFORE"]),
    ("GET", "/a.txt", &["If-Modified-Since: yesterday"]),
    ("GET", "/a.txt", &["If-Unmodified-Since: DATE"]),
    ("GET", "/a.txt", &["If-Unmodified-Since: BEFORE"]),
    ("GET", "/a.txt", &["If-Unmodified-Since: AFTER"]),
    ("GET", "/a.txt", &["If-None-Match: \"x\"", "If-Modified-Since: BEFORE"]),
    ("GET", "/a.txt", &["If-Match: \"x\"", "If-None-Match: ETAG"]),
    ("GET", "/none", &["If-None-Match: *"]),
    // Methods.
    ("POST", "/a.txt", &["Content-Length: 0"]),
    ("DELETE", "/a.txt", &[]),
    // Ranges.
    ("GET", "/a.txt", &["Range: bytes=0-0"]),
    ("GET", "/a.txt", &["Range: bytes=100-199"]),
    ("GET", "/a.txt", &["Range: bytes=100-"]),
    ("GET", "/a.txt", &["Range: bytes=-100"]),
    ("GET", "/a.txt", &["Range: bytes=-100000000"]),
    ("GET", "/a.txt", &["Range: bytes=0-100000000"]),
    ("GET", "/a.txt", &["Range: bytes=100000000-"]),
    ("GET", "/a.txt", &["Range: bytes=-0"]),
    ("GET", "/a.txt", &["Range: lines=0-1"]),
    ("GET", "/a.txt", &["Range: bytes="]),
    ("GET", "/empty.txt", &["Range: bytes=-1"]),
    ("GET", "/large.bin", &["Range: bytes=100000-"]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-Range: ETAG"]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-Range: \"x\""]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-Range: W/ETAG"]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-Range: DATE"]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-Range: BEFORE"]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-Range: AFTER"]),
    ("GET", "/a.txt", &["Range: bytes=0-9", "If-None-Match: ETAG"]),
    // Copies.
    ("GET", "/copied.txt", &["Accept-Encoding: gzip"]),
    ("GET", "/copied.txt", &["Accept-Encoding: gzip;q=0"]),
    ("GET", "/copied.txt", &[]),
];

/// A request; what we say and what nginx says of each thing in which they differ (where the status
/// does, the rest follows); and why.
type Different = (
    (&'static str, &'static str, &'static [&'static str]),
    &'static [(&'static str, &'static str, &'static str)],
    &'static str,
);

const DIFFERENT: &[Different] = &[
    (
        ("GET", "/a.js", &[]),
        &[(
            "content-type",
            "text/javascript; charset=utf-8",
            "application/javascript; charset=utf-8",
        )],
        "RFC 9239 has replaced the type",
    ),
    (
        ("GET", "/a.css", &[]),
        &[("content-type", "text/css; charset=utf-8", "text/css")],
        "nginx says the charset of some types of text only (charset_types)",
    ),
    (("GET", "//a.txt", &[]), &[("status", "404", "200")], "one file has one path"),
    (("GET", "/sub//", &[]), &[("status", "404", "200")], "one file has one path"),
    (("GET", "/.hidden", &[]), &[("status", "404", "200")], "names with a dot are hidden"),
    (("GET", "/bare/", &[]), &[("status", "404", "403")], "what is not served is not told of"),
    (("GET", "/a.txt%00", &[]), &[("status", "404", "400")], "no file has that name"),
    (
        ("POST", "/none", &["Content-Length: 0"]),
        &[("status", "405", "404")],
        "nothing here takes the method, whatever there is",
    ),
    (
        ("OPTIONS", "/a.txt", &[]),
        &[("status", "204", "405")],
        "RFC 9110 §9.3.7: it tells the methods",
    ),
    (
        ("GET", "/a.txt", &["If-Modified-Since: AFTER"]),
        &[("status", "304", "200")],
        "RFC 9110 §13.1.3: not later than; nginx wants the very date (if_modified_since exact)",
    ),
    (
        ("GET", "/a.txt", &["If-Match: ETAG", "If-Unmodified-Since: BEFORE"]),
        &[("status", "200", "412")],
        "RFC 9110 §13.1.4: the date does not count where there is a tag",
    ),
    (
        ("HEAD", "/a.txt", &["Range: bytes=0-9"]),
        &[("status", "200", "206")],
        "RFC 9110 §14.2: ranges are of GET",
    ),
    (
        ("GET", "/a.txt", &["Range: bytes=5-4"]),
        &[("status", "200", "416")],
        "RFC 9110 §14.2: what is malformed may be ignored; what is no range cannot be unsatisfiable",
    ),
    (("GET", "/a.txt", &["Range: bytes=a-b"]), &[("status", "200", "416")], "the same"),
    (
        ("GET", "/empty.txt", &["Range: bytes=0-"]),
        &[("status", "416", "200")],
        "RFC 9110 §14.1.2: no byte is at 0",
    ),
    (
        ("GET", "/a.txt", &["Range: bytes=0-0,2000-2000"]),
        &[("body", "\"--BOUNDARY", "\"\\r\\n--BOUNDARY")],
        "nginx begins with an empty line, which RFC 2046 §5.1.1 allows",
    ),
    (
        ("GET", "/a.txt", &["Range: bytes=0-9,5-20"]),
        &[
            ("body", "\"line 0", "\"\\r\\n--BOUNDARY"),
            ("content-length", "21", ""),
            ("content-range", "bytes 0-20/3000", ""),
            (
                "content-type",
                "text/plain; charset=utf-8",
                "multipart/byteranges; boundary=boundary",
            ),
        ],
        "RFC 9110 §15.3.7.2: what overlaps may be sent as one, which is no more than the file",
    ),
    (
        ("GET", "/a.txt", &["Range: bytes=0-,0-,0-"]),
        &[("status", "206", "200")],
        "the same; nginx sends the whole where the parts would be more than that",
    ),
    (
        ("GET", "/copied.txt", &["Accept-Encoding: gzip", "Range: bytes=0-1"]),
        &[("status", "206", "200")],
        "RFC 9110 §14: a copy is a representation with ranges of its own",
    ),
    (
        ("GET", "/copied.txt", &["Accept-Encoding: identity, gzip;q=0.5"]),
        &[
            ("accept-ranges", "bytes", ""),
            ("body", "\"copied", "\"in gzip"),
            ("content-encoding", "", "gzip"),
            ("content-length", "6", "7"),
        ],
        "RFC 9110 §12.4.2: the client likes it better as it is",
    ),
    (
        ("GET", "/copied.txt", &["Accept-Encoding: *"]),
        &[
            ("accept-ranges", "", "bytes"),
            ("body", "\"in gzip", "\"copied"),
            ("content-encoding", "gzip", ""),
            ("content-length", "7", "6"),
        ],
        "RFC 9110 §12.5.3: that is any coding",
    ),
];

#[test]
fn where_it_is_not_it_is_for_a_reason() {
    let (served, nginx) = both();
    for ((method, target, fields), wanted, why) in DIFFERENT {
        let differences = differences(&served, &nginx, method, target, fields);
        let same = differences.len() == wanted.len()
            && differences.iter().zip(*wanted).all(|(found, (name, ours, theirs))| {
                // Of a body, its beginning.
                let is = |found: &str, wanted: &str| {
                    found == wanted || *name == "body" && found.starts_with(wanted)
                };
                found.0 == *name && is(&found.1, ours) && is(&found.2, theirs)
            });
        assert!(same, "{method} {target} {fields:?} ({why}): {differences:?}");
    }
}

#[test]
fn it_is_as_nginx_answers() {
    let (served, nginx) = both();
    let mut failed = Vec::new();
    for (method, target, fields) in SAME {
        let differences = differences(&served, &nginx, method, target, fields);
        if !differences.is_empty() {
            failed.push(format!("{method} {target} {fields:?}: {differences:?}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// What differs: its name, what we say, and what nginx says.
fn differences(
    served: &Served,
    nginx: &Nginx,
    method: &str,
    target: &str,
    fields: &[&str],
) -> Vec<(&'static str, String, String)> {
    let (ours, theirs) = ask(served, nginx, method, target, fields);
    let names: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
    let said = |told: &Told, name: &str| told.get(name).cloned().unwrap_or_default();
    let all = names.into_iter().map(|name| (name, said(&ours, name), said(&theirs, name)));
    let mut differences: Vec<_> = all.filter(|(_, ours, theirs)| ours != theirs).collect();
    if differences.iter().any(|(name, ..)| *name == "status") {
        differences.retain(|(name, ..)| *name == "status");
    }
    differences
}

fn both() -> (Served, Nginx) {
    let folder = Folder::new()
        .with("index.html", "<p>top")
        .with("a.txt", crate::lines(3000))
        .with("empty.txt", "")
        .with("a.html", "<p>")
        .with("a.css", "p {}")
        .with("a.png", "png")
        .with("a.js", "1")
        .with("a.json", "1")
        .with("a.svgz.unknown", "?")
        .with("large.bin", bytes(200_000))
        .with("sub/index.html", "<p>sub")
        .with("copied.txt", "copied")
        .with("copied.txt.gz", "in gzip")
        .with(".hidden", "hidden");
    fs::create_dir(folder.path().join("bare")).unwrap();
    modified(&folder.path().join("copied.txt"), MODIFIED);
    let nginx = Nginx::new(&folder);
    (Served::new(folder), nginx)
}

/// What both say to a request; `ETAG` is the tag that each gives the file itself.
fn ask(
    served: &Served,
    nginx: &Nginx,
    method: &str,
    target: &str,
    fields: &[&str],
) -> (Told, Told) {
    let filled = |etag: &str| -> Vec<String> {
        fields
            .iter()
            .map(|field| {
                field
                    .replace("ETAG", etag)
                    .replace("DATE", DATE)
                    .replace("BEFORE", "Sun, 06 Nov 1994 08:49:36 GMT")
                    .replace("AFTER", "Sun, 06 Nov 1994 08:49:38 GMT")
            })
            .collect()
    };
    let answer = |ask: &dyn Fn(&str, &[&str]) -> Answer| {
        let file = ask("GET", &[]);
        let fields = filled(file.field("etag").unwrap_or("\"none\""));
        ask(method, &fields.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let ours = answer(&|method, fields| served.ask(method, target, fields));
    let theirs = answer(&|method, fields| nginx.ask(method, target, fields));
    (told(&ours), told(&theirs))
}
