//! The parts of the manual that do not belong to one option.

use super::roff::{Page, Term};

pub(super) fn description(page: &mut Page) {
    page.text(
        "turnkey serves an app over HTTP, HTTPS or mutual TLS, in which clients show a certificate \
         too. The mode follows from what is given: an identity (--cert and --key, --identity or \
         --adhoc) makes it https, a client CA (--client-ca) makes it mutual. Without options it \
         serves its own app, on http://127.0.0.1:8000/; with --proxy it hands requests on to \
         another server.",
    );
    page.paragraph(
        "While it serves, files may be replaced: certificates, keys, CAs and revocation lists are \
         read again when they change, and on SIGHUP. What is bad is told in the log, and all stays \
         as it was.",
    );
}

pub(super) fn before_options(page: &mut Page) {
    page.text(
        "--port 8443, --port=8443, -p 8443 and -p8443 are the same. Each option can be set in the \
         environment as well, with commas where it may be repeated; the command line wins. An empty \
         variable counts as none, but one that decides which clients are let in must not be empty.",
    );
}

pub(super) fn after_commands(page: &mut Page) {
    environment(page);
    page.section("SIGNALS");
    let signal = |name: &str| Term::default().literal(name);
    page.item(
        &signal("SIGTERM, SIGINT"),
        "No connection is accepted any more, and what is under way is finished, for as long as \
         --drain-timeout. A second one ends it at once.",
    );
    page.item(&signal("SIGHUP"), "The files are read again.");
    page.section("EXIT STATUS");
    page.item(
        &signal("0"),
        "It has served, and finished what was under way; or done what was asked.",
    );
    page.item(&signal("1"), "It could not start, or turnkey check has found an error.");
    page.item(&signal("2"), "The options make no sense.");
    page.paragraph("Both failures are one line on the standard error.");
}

fn environment(page: &mut Page) {
    page.section("ENVIRONMENT");
    page.text("Beside the variables of the options:");
    let variable = |name: &str| Term::default().literal(name);
    page.item(
        &variable("TURNKEY_KEY_PASSWORD"),
        "The password of the key, where --key-password-file is not given. Without either it is asked \
         for, on a terminal. The same user and root can read it in /proc/PID/environ.",
    );
    page.item(
        &variable("RUST_LOG"),
        "What is logged: error, warn, info (the default), debug or trace; or by module, such as \
         info,turnkey::access=debug.",
    );
    page.item(
        &variable("NO_COLOR, CLICOLOR_FORCE"),
        "If not empty: no colours, or colours also where there is no terminal.",
    );
    page.item(
        &variable("HTTPS_ENABLED, VERIFY_USER, API_HOST, API_PORT, CA_CHAIN_CRT, API_KEY, API_CA_T"),
        "The settings of the recipe that turnkey grew from, which count when HTTPS_ENABLED is among \
         them.",
    );
}

pub(super) fn see_also(page: &mut Page) {
    page.section("SEE ALSO");
    let (bold, comma) = (Term::default(), ", ");
    page.term_line(&bold.literal("curl").plain("(1)").plain(comma).literal("openssl").plain("(1)"));
}
