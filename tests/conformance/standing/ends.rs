//! What time ends.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::{Site, Streaming, assert_no_longer, client};
use crate::Setup;
use crate::support::{Authority, Crl, Streams};

/// Long enough to connect.
const TIME: Duration = Duration::from_secs(5);

#[test]
fn connections_end_with_what_vouches_for_their_client() {
    crate::at_once(&Setup::VERIFYING, |setup| {
        let upstream = Streams::start();
        let (site, proxy) = (Site::new(setup, &[]), Site::new(setup, &["--proxy", &upstream.url]));

        let issued = Instant::now();
        let [ending, listed] =
            [Authority::root_for("Ending CA", TIME), Authority::root("Listed CA")];
        let department = site.pki.ca.subordinate_for("Department CA", TIME);
        let [own, above, top, list] = [
            site.pki.ca.issue(&client().valid_for(TIME)),
            department.issue(&client()).with_chain(&[&department]),
            ending.issue(&client()),
            listed.issue(&client()),
        ];
        let [own, above, top, list] =
            [("own", own), ("above", above), ("top", top), ("list", list)]
                .map(|(name, leaf)| site.pki.save(name, &leaf));
        let whole = [&site.pki.ca, &department, &ending].map(|ca| Crl::default().pem(ca)).concat();
        let lists = whole + &Crl::default().ends_in(TIME).pem(&listed);
        fs::write(&site.cas, site.pki.ca.pem() + &ending.pem() + &listed.pem()).unwrap();
        fs::write(&site.list, lists).unwrap();
        site.server.reload();
        let ends = proxy.pki.ca.issue(&client().valid_for(TIME));
        let streaming = Streaming::begin(&proxy, &proxy.pki.save("ends", &ends));

        let mut good = site.open(&site.pki.client);
        let mut conns = [&own, &above, &top, &list].map(|files| site.open(files));
        // To the next second, which is what certificates count in.
        let left = (TIME + Duration::from_secs(1)).saturating_sub(issued.elapsed());
        thread::sleep(left + Duration::from_millis(100));
        let because = |name| format!("because of \"CN={name},O=Company\": it has expired");
        let whys = [
            "any more: it has expired",
            &because("Department CA"),
            &because("Ending CA"),
            "any more: the revocation list of its CA has expired",
        ];
        for (conn, why) in conns.iter_mut().zip(whys) {
            assert_no_longer(conn, why);
        }
        good.get().assert_top_level();
        // These have not asked for anything.
        streaming.assert_end();
        proxy.server.assert_logs(&["no longer let in: the client certificate ", " expired on "]);
    });
}
