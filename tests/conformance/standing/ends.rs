//! What time ends.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;
use std::time::{Duration, Instant};

use super::{Site, Streaming, assert_no_longer, client};
use crate::Setup;
use crate::support::{Authority, Conn, Crl, Streams};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn connections_end_with_what_vouches_for_their_client() {
    crate::at_once(&Setup::VERIFYING, |setup| {
        let upstream = Streams::start();
        for time in [5, 20, 80].map(Duration::from_secs) {
            let (site, proxy) =
                (Site::new(setup, &[]), Site::new(setup, &["--proxy", &upstream.url]));
            let issued = Instant::now();
            let opened = catch_unwind(AssertUnwindSafe(|| Opened::new(&site, &proxy, time)));
            // A machine that is too slow for that gets more time.
            if issued.elapsed() + SECOND > time {
                continue;
            }
            let opened = opened.unwrap_or_else(|why| resume_unwind(why));
            // To the next second, which is what certificates count in.
            let left = (time + SECOND).saturating_sub(issued.elapsed());
            thread::sleep(left + Duration::from_millis(100));
            return opened.assert_ended(&proxy);
        }
        panic!("the connections could not be opened in a minute");
    });
}

/// Connections of clients, all but one of which lose what vouches for them.
struct Opened {
    good: Conn,
    /// Of a client whose certificate ends, that of a CA above it, that of the trusted CA, a list.
    ending: [Conn; 4],
    streaming: Streaming,
}

impl Opened {
    /// What ends, ends after `time`.
    fn new(site: &Site, proxy: &Site, time: Duration) -> Self {
        let [ending, listed] =
            [Authority::root_for("Ending CA", time), Authority::root("Listed CA")];
        let department = site.pki.ca.subordinate_for("Department CA", time);
        let [own, above, top, list] = [
            site.pki.ca.issue(&client().valid_for(time)),
            department.issue(&client()).with_chain(&[&department]),
            ending.issue(&client()),
            listed.issue(&client()),
        ];
        let files = [("own", own), ("above", above), ("top", top), ("list", list)]
            .map(|(name, leaf)| site.pki.save(name, &leaf));
        let whole = [&site.pki.ca, &department, &ending].map(|ca| Crl::default().pem(ca)).concat();
        let lists = whole + &Crl::default().ends_in(time).pem(&listed);
        fs::write(&site.cas, site.pki.ca.pem() + &ending.pem() + &listed.pem()).unwrap();
        fs::write(&site.list, lists).unwrap();
        site.server.reload();
        let ends = proxy.pki.ca.issue(&client().valid_for(time));
        let streaming = Streaming::begin(proxy, &proxy.pki.save("ends", &ends));
        let good = site.open(&site.pki.client);
        Self { good, ending: files.each_ref().map(|files| site.open(files)), streaming }
    }

    fn assert_ended(mut self, proxy: &Site) {
        let because = |name| format!("because of \"CN={name},O=Company\": it has expired");
        let whys = [
            "any more: it has expired",
            &because("Department CA"),
            &because("Ending CA"),
            "any more: the revocation list of its CA has expired",
        ];
        for (conn, why) in self.ending.iter_mut().zip(whys) {
            assert_no_longer(conn, why);
        }
        self.good.get().assert_top_level();
        // These have not asked for anything.
        self.streaming.assert_end();
        proxy.server.assert_logs(&["no longer let in: the client certificate ", " expired on "]);
    }
}
