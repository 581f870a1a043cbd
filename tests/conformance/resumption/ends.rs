//! A session ends with the earliest end of what vouched for its client.

use std::time::SystemTime;

use time::OffsetDateTime;

use super::*;

crate::on_every_verifying_backend! {
    of_the_intermediate
    of_the_list_of_the_ca
    of_the_list_of_the_intermediate
    of_one_of_several_lists
    when_a_list_begins_that_revokes_the_client
    and_not_with_what_vouched_for_others
}

/// A server, and a client that has begun a session at it.
struct Begun {
    pki: Pki,
    server: Server,
    client: Files,
    session: String,
}

impl Begun {
    fn caller(&self, setup: Setup) -> Caller<'_> {
        Caller::new(setup, &self.pki, Some(&self.client))
    }
}

/// Begins a session where something ends after the time that `with` is told, resumes it, and waits for the
/// end. A machine that is too slow for that gets more time.
fn begun(
    setup: Setup,
    with: impl Fn(&Pki, Duration) -> (Vec<&'static str>, Vec<String>, Files),
) -> Begun {
    for seconds in [4, 16, 64] {
        let time = Duration::from_secs(seconds);
        let pki = Pki::new();
        let (options, files, client) = with(&pki, time);
        // Certificates and lists count whole seconds.
        let end = SystemTime::now() + time;
        let more = options.iter().zip(&files).flat_map(|(option, file)| [*option, file.as_str()]);
        let server = serve_mutual(setup, &pki, &more.collect::<Vec<_>>());
        let session = pki.path("begun");
        let caller = Caller::new(setup, &pki, Some(&client));
        let first = caller.visit(&server, &["-sess_out", &session]);
        let visit = caller.comes_back(&server, &session);
        if SystemTime::now() + Duration::from_secs(1) > end {
            continue;
        }
        assert_eq!((first.resumed, first.status), (false, Some(200)), "{first:?}");
        visit.assert_resumed();
        while let Ok(left) = (end + Duration::from_secs(1)).duration_since(SystemTime::now()) {
            thread::sleep(left);
        }
        return Begun { pki, server, client, session };
    }
    panic!("no session could be begun in a minute");
}

/// What is refused in a full handshake is refused with the session too.
fn assert_ended(setup: Setup, begun: &Begun, why: &[&str]) {
    let caller = begun.caller(setup);
    let full = caller.visit(&begun.server, &[]);
    assert_eq!(full.status, None, "{full:?}");
    assert_refused(&caller, &begun.server, &begun.session);
    begun.server.assert_logs(why);
}

fn below(pki: &Pki, ca: &Authority) -> Files {
    let leaf = ca.issue(&Profile::client("client.localhost")).with_chain(&[ca]);
    pki.save("below", &leaf)
}

fn of_the_intermediate(setup: Setup) {
    let begun = begun(setup, |pki, time| {
        let between = pki.ca.odd_subordinate("Between", |params| {
            params.not_after = OffsetDateTime::now_utc() + time;
        });
        (Vec::new(), Vec::new(), below(pki, &between))
    });
    assert_ended(setup, &begun, &["refused: ", "\"CN=Between,O=Company\", which ", " expired on "]);
}

fn of_the_list_of_the_ca(setup: Setup) {
    let begun = begun(setup, |pki, time| {
        let list = pki.write("list.pem", Crl::default().ends_in(time).pem(&pki.ca));
        (vec!["--client-crl"], vec![list], pki.client.clone())
    });
    let why = "the revocation list of \"CN=Test CA,O=Company\" expired";
    assert_ended(setup, &begun, &["refused: ", why]);
}

fn of_the_list_of_the_intermediate(setup: Setup) {
    let begun = begun(setup, |pki, time| {
        let between = pki.ca.subordinate("Between");
        let lists = Crl::default().pem(&pki.ca) + &Crl::default().ends_in(time).pem(&between);
        let lists = pki.write("lists.pem", lists);
        (vec!["--client-crl"], vec![lists], below(pki, &between))
    });
    let why = "the revocation list of \"CN=Between,O=Company\" expired";
    assert_ended(setup, &begun, &["refused: ", why]);
}

/// Of two distribution points, neither of which the client names.
fn of_one_of_several_lists(setup: Setup) {
    let begun = begun(setup, |pki, time| {
        let one = Crl::default().at("http://crl.test/1.crl", None).pem(&pki.ca);
        let two = Crl::default().ends_in(time).at("http://crl.test/2.crl", None).pem(&pki.ca);
        let lists = pki.write("lists.pem", one + &two);
        (vec!["--client-crl"], vec![lists], pki.client.clone())
    });
    let why = "the revocation list of \"CN=Test CA,O=Company\" expired";
    assert_ended(setup, &begun, &["refused: ", why]);
}

fn when_a_list_begins_that_revokes_the_client(setup: Setup) {
    let begun = begun(setup, |pki, time| {
        let leaf = pki.ca.issue(&Profile::client("client.localhost"));
        let next = Crl::of(&[leaf.serial]).begins_in(time).pem(&pki.ca);
        let lists = pki.write("lists.pem", Crl::default().pem(&pki.ca) + &next);
        (vec!["--client-crl"], vec![lists], pki.save("revoked", &leaf))
    });
    assert_ended(setup, &begun, &["refused: ", " is revoked"]);
}

/// Another CA has ended, another intermediate, and the list of another CA; and the client's own list has one
/// beside it that it replaces, and which has ended. OpenSSL does not keep the chain that leads to its CA.
fn and_not_with_what_vouched_for_others(setup: Setup) {
    let begun = begun(setup, |pki, time| {
        let ending = Authority::root_for("Ending CA", time);
        let other = Authority::root("Other CA");
        let between = pki.ca.subordinate("Between");
        let cas = pki.write("cas.pem", pki.ca.pem() + &ending.pem() + &other.pem());
        let lists = [
            Crl::default().pem(&pki.ca),
            Crl::default().old().ends_in(time).pem(&pki.ca),
            Crl::default().pem(&between),
            Crl::default().ends_in(time).pem(&other),
        ];
        let lists = pki.write("lists.pem", lists.concat());
        (vec!["--client-ca", "--client-crl"], vec![cas, lists], below(pki, &between))
    });
    let visit = begun.caller(setup).comes_back(&begun.server, &begun.session);
    visit.assert_resumed();
    assert_eq!(visit.status, Some(200), "{visit:?}");
}
