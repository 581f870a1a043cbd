//! One run of `turnkey certs`: read everything, decide, make certificates, and only then write.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use turnkey::tls::{Certificate, Identity};

use super::authority::Authority;
use super::bundle::{Bundle, join};
use super::files::{self, Batch};
use super::issue::{KeyType, Leaf, Role};
use super::names::{self, Name, names_of};
use super::report::{Action, CertsReport, IdentityReport, Why};
use super::standing::{LeafPlan, Place, Standing, check_pem, open_pkcs12};
use super::wanted::Wanted;
use super::{CertsOptions, PkiError, SERVER_COMMON_NAME, x509};
use crate::console::permissions::{self, Exposed};

/// macOS and iOS reject a server's certificate that lasts longer, whoever issued it.
const MAX_DAYS: u32 = 825;

/// How long a CA lasts, as in the recipe.
const CA_DAYS: u32 = 3650;

/// The client that always exists.
const CLIENT: &str = "client";

/// Its common name, as in the recipe.
const CLIENT_COMMON_NAME: &str = "client.server.localhost";

pub(super) fn run(options: &CertsOptions, now: SystemTime) -> Result<CertsReport, PkiError> {
    let out = &options.out;
    if !(1..=MAX_DAYS).contains(&options.days) {
        return Err(PkiError::Days { days: options.days });
    }
    let server_names = Wanted::server(&options.hosts, options.no_default_names)?;
    let mut clients = vec![CLIENT.to_owned()];
    for name in &options.clients {
        names::check_client(name)?;
        clients.push(name.clone());
    }
    let (of_client, sans) = sans(options)?;
    files::check_folder(out)?;

    let mut run = Run { options, now, batch: Batch::default(), old_ca: None };
    let (authority, ca) = run.authority()?;
    if ca.outcome == Action::Replaced {
        let below = clients_below_old_ca(out, &clients)?;
        clients.extend(below);
    }
    let mut identities = vec![ca];
    let server = Place::new(out, "server", Role::Server);
    identities.push(run.identity(&authority, &server, &server_names)?);
    for (n, name) in clients.iter().enumerate() {
        if !clients.iter().take(n).any(|earlier| earlier == name) {
            let client = Place::new(out, name, Role::Client);
            let sans = if Some(name) == of_client { sans.clone() } else { Vec::new() };
            identities.push(run.identity(&authority, &client, &Wanted::client(name, sans))?);
        }
    }
    run.batch.write(out)?;
    Ok(CertsReport { out: out.clone(), identities, warnings: exposed(out) })
}

/// What other users can do with the CA's key after the files are written.
fn exposed(folder: &Path) -> Vec<String> {
    let [key, both] = ["ca.key", "ca.pem"].map(|name| folder.join(name));
    let found = [
        (&*key, permissions::of_secret(&key, "the key of the CA")),
        (&*both, permissions::of_secret(&both, "the key of the CA")),
        (folder, permissions::of_folder(folder)),
        (folder, permissions::of_owner(folder, &key)),
    ];
    let warnings = found.into_iter().filter_map(|(path, exposed)| Some((path, exposed?)));
    warnings
        .map(|(path, Exposed { text, fix })| format!("{}: {text}; {fix}", path.display()))
        .collect()
}

/// The names that `--san` gives, and the client that gets them.
fn sans(options: &CertsOptions) -> Result<(Option<&String>, Vec<Name>), PkiError> {
    let Some(san) = options.sans.first().cloned() else { return Ok((None, Vec::new())) };
    let sans = options.sans.iter().map(|san| Name::san(san)).collect::<Result<_, _>>()?;
    let Some(first) = options.clients.first() else { return Err(PkiError::SanOfNobody { san }) };
    if options.clients.iter().any(|client| client != first) {
        let (clients, first) = (options.clients.len(), first.clone());
        return Err(PkiError::SanOfSeveral { san, clients, first });
    }
    Ok((Some(first), sans))
}

struct Run<'a> {
    options: &'a CertsOptions,
    now: SystemTime,
    batch: Batch,
    /// The CA that is being replaced.
    old_ca: Option<Certificate>,
}

impl Run<'_> {
    /// The CA that issues: the existing one, or a new one if there is none or `--force` is given.
    fn authority(&mut self) -> Result<(Authority, IdentityReport), PkiError> {
        let out = &self.options.out;
        let [crt, key, both] = ["ca.crt", "ca.key", "ca.pem"].map(|name| out.join(name));
        let kept = if self.options.force { None } else { Authority::open(out, self.now)? };
        let (authority, outcome) = if let Some(authority) = kept {
            let there = files::read(&both)?;
            if let Some(there) = &there {
                check_pem(&both, there, &authority)?;
            }
            let contents = join(&authority.certificate_pem, &authority.key_pem);
            self.batch.settle(&both, there.as_deref(), contents, true);
            (authority, Action::Kept)
        } else {
            let old = files::read(&crt)?;
            let there = old.is_some() || files::read(&key)?.is_some();
            let old = old.as_deref().and_then(x509::first_certificate);
            let key_type = self.key_type(old.as_ref());
            self.old_ca = old;
            let authority = Authority::create(key_type, CA_DAYS, self.now)?;
            let contents = join(&authority.certificate_pem, &authority.key_pem);
            self.batch.put(&crt, authority.certificate_pem.clone(), false, Why::New);
            self.batch.put(&key, authority.key_pem.clone(), true, Why::New);
            self.batch.put(&both, contents, true, Why::New);
            (authority, if there { Action::Replaced } else { Action::Created })
        };
        let report = self.report("ca", &authority.certificate, outcome);
        Ok((authority, report))
    }

    /// Keeps, renews or makes one leaf certificate and the files that hold it.
    fn identity(
        &mut self,
        authority: &Authority,
        place: &Place,
        wanted: &Wanted,
    ) -> Result<IdentityReport, PkiError> {
        let there = Standing::read(place)?;
        let key_type = self.key_type(there.find_certificate(authority).as_ref());
        let mut leaf = self.leaf(place, key_type);
        let ca = self.old_ca.as_ref().unwrap_or(&authority.certificate);
        leaf.names = wanted.names(&there.names(&leaf, authority, ca));
        if self.options.force {
            let outcome = if there.is_empty() { Action::Created } else { Action::Replaced };
            return self.issue(authority, place, &leaf, outcome);
        }
        match there.judge(place, &leaf, self.options.key_type, authority, self.now)? {
            LeafPlan::Create => self.issue(authority, place, &leaf, Action::Created),
            LeafPlan::Renew { why } => self.issue(authority, place, &leaf, Action::Renewed { why }),
            LeafPlan::Keep { certificate, key } => {
                self.keep(authority, place, &there, &certificate, &key)
            }
        }
    }

    /// The kind of a new key: the one asked for, or else that of the old certificate, because peers may rely on it.
    fn key_type(&self, old: Option<&Certificate>) -> KeyType {
        self.options.key_type.or_else(|| x509::key_type(old?)).unwrap_or_default()
    }

    /// The request for the certificate, without its names.
    fn leaf(&self, place: &Place, key_type: KeyType) -> Leaf {
        let common_name = match place.role {
            Role::Server => SERVER_COMMON_NAME,
            Role::Client if place.name == CLIENT => CLIENT_COMMON_NAME,
            Role::Client => &place.name,
        };
        Leaf {
            role: place.role,
            common_name: common_name.to_owned(),
            names: Vec::new(),
            key_type,
            days: self.options.days,
        }
    }

    fn issue(
        &mut self,
        authority: &Authority,
        place: &Place,
        leaf: &Leaf,
        outcome: Action,
    ) -> Result<IdentityReport, PkiError> {
        let bundle = Bundle::issue(authority, place, leaf, self.now)?;
        let certificate = bundle.identity.leaf().clone();
        bundle.put(&mut self.batch)?;
        Ok(self.report(&place.name, &certificate, outcome))
    }

    /// Keeps the certificate and key, and repairs the files that are made from them.
    fn keep(
        &mut self,
        authority: &Authority,
        place: &Place,
        there: &Standing,
        certificate: &Certificate,
        key_pem: &[u8],
    ) -> Result<IdentityReport, PkiError> {
        let certificate_pem = match &there.certificate {
            Some(pem) if x509::first_certificate(pem).as_ref() == Some(certificate) => pem.clone(),
            other => {
                let why = if other.is_some() { Why::Damaged } else { Why::Missing };
                let pem = x509::certificate_pem(certificate);
                self.batch.put(&place.certificate, pem.clone(), false, why);
                pem
            }
        };
        let bundle = Bundle::open(authority, place, certificate_pem, key_pem.to_vec(), self.now)?;
        let secret = place.both_is_secret();
        self.batch.settle(&place.both, there.both.as_deref(), bundle.both(), secret);

        let same = |old: &Identity| old.chain() == bundle.identity.chain();
        match &there.pkcs12 {
            Some(old) if open_pkcs12(old, self.now).is_ok_and(|old| same(&old)) => {}
            other => {
                let why = if other.is_some() { Why::OutOfDate } else { Why::Missing };
                self.batch.put(&place.pkcs12, bundle.pkcs12()?, true, why);
            }
        }
        Ok(self.report(&place.name, certificate, Action::Kept))
    }

    fn report(&mut self, name: &str, certificate: &Certificate, outcome: Action) -> IdentityReport {
        IdentityReport {
            name: name.to_owned(),
            subject: certificate.subject().to_owned(),
            names: names_of(certificate).iter().map(ToString::to_string).collect(),
            not_after: certificate.not_after(),
            outcome,
            written: self.batch.take_written(),
        }
    }
}

/// The clients whose certificates the CA in the folder issued, without those in `named`. When the CA is replaced,
/// their certificates must be issued again: no later run would touch certificates of an unknown CA. Any other
/// certificate that the CA issued is an error, because turnkey does not make it, and its key would be lost.
fn clients_below_old_ca(folder: &Path, named: &[String]) -> Result<Vec<String>, PkiError> {
    let old = files::read(&folder.join("ca.crt"))?;
    let Some(old) = old.as_deref().and_then(x509::first_certificate) else {
        return Ok(Vec::new());
    };
    let unreadable = |source| PkiError::Read { path: folder.to_owned(), source };
    let mut clients = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(name) = name.strip_suffix(".crt") else { continue };
        if names::check_client(name).is_err() || named.iter().any(|named| named == name) {
            continue;
        }
        let Some(pem) = files::read(&path)? else { continue };
        let Some(certificate) = x509::first_certificate(&pem) else { continue };
        // The CA signed itself, and a copy of it may stay.
        if certificate == old || !x509::is_issued_by(&certificate, &old) {
            continue;
        }
        if !x509::is_for_clients_alone(&certificate) {
            return Err(PkiError::NotAClient { path });
        }
        clients.push(name.to_owned());
    }
    clients.sort();
    Ok(clients)
}
