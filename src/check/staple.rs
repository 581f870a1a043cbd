use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use turnkey::tls::time::{distance, utc};

use super::certificate::called;
use crate::config::files::{Finding, Served, Subject};

/// How long before its end to warn about a response.
const SOON: Duration = Duration::from_secs(86400);

/// Reports how long the stapled responses are valid.
pub(super) fn inspect(served: &[Served<'_>], files: &[PathBuf], now: SystemTime) -> Vec<Finding> {
    let subject = match files {
        [file] => Subject::file(file, "--ocsp"),
        _ => Subject::option("--ocsp"),
    };
    let stapled =
        served.iter().filter_map(|served| Some((served, served.identity.ocsp_response()?)));
    stapled
        .map(|(served, response)| {
            let about =
                format!("the response for \"{}\"", called(served.identity.leaf().subject()));
            let Some(end) = response.next_update() else {
                return Finding::ok(
                    "ocsp",
                    &subject,
                    format!("{about} is stapled, and has no end"),
                );
            };
            let ends = format!("ends on {}, in {}", utc(end), distance(now, end));
            if end.duration_since(now).unwrap_or_default() < SOON {
                let text = format!("{about} {ends}; from then on none is sent");
                return Finding::note("ocsp-expires-soon", &subject, text).fix(
                    "ask the responder again; a server that runs takes up the new file by itself",
                );
            }
            Finding::ok("ocsp", &subject, format!("{about} is stapled, and {ends}"))
        })
        .collect()
}
