//! Chromium, and what it sees.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Files, run, tool};

/// How long Chromium may take to start and to look at all that a test has, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A page to visit.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    url: String,
    dark: bool,
    width: u32,
    certificate: Option<Files>,
    headers: serde_json::Map<String, Value>,
    clicks: Vec<String>,
    picture: String,
}

impl Visit {
    /// In light colours and on a wide screen; `picture` is what the picture of it is called.
    pub(crate) fn to(url: &str, picture: &str) -> Self {
        Self {
            url: url.to_owned(),
            dark: false,
            width: 1280,
            certificate: None,
            headers: serde_json::Map::new(),
            clicks: Vec::new(),
            picture: picture.to_owned(),
        }
    }

    /// With this certificate, if the server asks for one.
    pub(crate) fn with(mut self, certificate: &Files) -> Self {
        self.certificate = Some(certificate.clone());
        self
    }

    /// With a field that browsers do not send by themselves.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// Follows the link of which this is the text: what is seen is where it leads.
    pub(crate) fn click(mut self, link: &str) -> Self {
        self.clicks.push(link.to_owned());
        self
    }

    fn json(&self) -> Value {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        fs::create_dir_all(&dir).expect("a directory of cargo's");
        let Self { url, dark, width, certificate, headers, clicks, picture } = self;
        let look = if *dark { "dark" } else { "light" };
        json!({
            "url": url,
            "dark": dark,
            "width": width,
            "certificate": certificate.as_ref().map(|f| json!({ "cert": f.cert, "key": f.key })),
            "headers": headers,
            "clicks": clicks,
            "screenshot": dir.join(format!("{picture}-{look}-{width}.png")),
        })
    }
}

/// Visits a page in light and in dark colours, on a narrow and on a wide screen. What holds for every
/// page is checked.
#[track_caller]
pub(crate) fn in_every_look(visit: &Visit) -> Vec<Seen> {
    let looks = [(false, 1280), (true, 1280), (false, 360), (true, 360)];
    let visits = looks.map(|(dark, width)| Visit { dark, width, ..visit.clone() });
    let seen = browse(&visits);
    for seen in &seen {
        seen.assert_sound();
    }
    seen
}

/// Has one Chromium visit pages, one after the other.
#[track_caller]
pub(crate) fn browse(visits: &[Visit]) -> Vec<Seen> {
    let mut node = tool("node");
    node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages/browse.mjs"));
    let wanted = json!({ "visits": visits.iter().map(Visit::json).collect::<Vec<_>>() });
    let output = run(node, wanted.to_string().as_bytes(), PATIENCE);
    assert_eq!(output.code, Some(0), "{} (make deps installs what is missing)", output.stderr);
    let seen: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let seen = visits.iter().zip(seen).map(|(visit, seen)| {
        assert!(seen["error"].is_null(), "{visit:?}: {}", seen["error"]);
        Seen { visit: visit.clone(), seen }
    });
    seen.collect()
}

/// What Chromium saw of a page.
#[derive(Debug)]
pub(crate) struct Seen {
    visit: Visit,
    seen: Value,
}

impl Seen {
    pub(crate) fn status(&self) -> u64 {
        self.seen["status"].as_u64().expect("a status")
    }

    pub(crate) fn title(&self) -> &str {
        self.text_of("title")
    }

    /// All that is to be read.
    pub(crate) fn text(&self) -> &str {
        self.text_of("text")
    }

    pub(crate) fn url(&self) -> &str {
        self.text_of("url")
    }

    /// The value that stands beside `name`, in the section with that heading; the items of a list.
    #[track_caller]
    pub(crate) fn fact(&self, heading: &str, name: &str) -> &Value {
        let fact = &self.seen["facts"][heading][name];
        assert!(!fact.is_null(), "no {name:?} below {heading:?}: {:#}", self.seen["facts"]);
        fact
    }

    /// The items of the list that is in order.
    pub(crate) fn chain(&self) -> Vec<&str> {
        strings(&self.seen["chain"])
    }

    /// The cells of each row of the tables.
    pub(crate) fn rows(&self) -> Vec<Vec<&str>> {
        self.seen["rows"].as_array().expect("rows").iter().map(strings).collect()
    }

    /// Where the link of this text leads.
    #[track_caller]
    pub(crate) fn link(&self, text: &str) -> &str {
        let links = self.seen["links"].as_array().expect("links");
        let link = links.iter().find(|link| link["text"] == text);
        let link = link.unwrap_or_else(|| panic!("no link {text:?}: {links:?}"));
        link["href"].as_str().expect("text")
    }

    /// What the server says to a program that asks in the same browser.
    pub(crate) fn as_text(&self) -> &str {
        self.text_of("json")
    }

    /// The same, which is JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let text = self.as_text();
        serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    /// What has to hold for every page: people can read it, with their eyes or otherwise, and it does
    /// nothing but be read.
    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        let Self { visit, seen } = self;
        assert_eq!(seen["lang"], "en", "{visit:?}");
        assert_eq!(seen["landmarks"], 1, "{visit:?}");
        assert!(!self.title().is_empty(), "{visit:?}");
        self.assert_headings();
        self.assert_fits();
        self.assert_contrast();
        self.assert_alone();
    }

    /// One of the first level, which is the first, and none of a level below that is skipped.
    #[track_caller]
    fn assert_headings(&self) {
        let headings = strings(&self.seen["headings"]);
        let levels: Vec<u8> = headings.iter().map(|heading| heading.as_bytes()[1] - b'0').collect();
        assert!(levels[0] == 1 && !levels[1..].contains(&1), "{headings:?}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{headings:?}");
        assert!(headings.iter().all(|heading| heading.len() > "h1 ".len()), "{headings:?}");
    }

    /// Nothing is cut off, and nobody has to scroll sideways.
    #[track_caller]
    fn assert_fits(&self) {
        let Self { visit, seen } = self;
        assert_eq!(seen["scrolls"], 0, "{visit:?}");
        assert!(strings(&seen["overflowing"]).is_empty(), "{visit:?}: {}", seen["overflowing"]);
    }

    /// WCAG 2.2, 1.4.3, level AA. Large is from 24 px on, or from 18.66 px on if it is bold.
    #[track_caller]
    fn assert_contrast(&self) {
        let visit = &self.visit;
        let contrasts = self.seen["contrasts"].as_array().expect("contrasts");
        assert!(contrasts.len() > 2, "{visit:?}: there is nothing to read");
        for text in contrasts {
            let (ratio, size) = (text["ratio"].as_f64().unwrap(), text["size"].as_f64().unwrap());
            let is_large = size >= 24.0 || size >= 18.66 && text["bold"] == true;
            let least = if is_large { 3.0 } else { 4.5 };
            assert!(ratio >= least, "{visit:?}: {text}");
            assert!(size >= 14.0, "{visit:?}: too small: {text}");
        }
        let ground = self.seen["ground"].as_array().expect("three numbers");
        let is_dark = ground.iter().all(|channel| channel.as_u64().unwrap() < 64);
        assert_eq!(is_dark, visit.dark, "{visit:?}: {ground:?}");
    }

    /// It asks for nothing, runs nothing, and lets nothing in.
    #[track_caller]
    fn assert_alone(&self) {
        let Self { visit, seen } = self;
        assert_eq!(seen["scripts"], 0, "{visit:?}");
        // A browser reports that a page itself was answered with an error.
        let console = strings(&seen["console"]).into_iter();
        let console: Vec<_> =
            console.filter(|line| !line.contains("Failed to load resource")).collect();
        assert!(console.is_empty(), "{visit:?}: {console:?}");
        let requests = strings(&seen["requests"]);
        assert_eq!(requests.len(), visit.clicks.len() + 1, "{requests:?}");
        assert_eq!(requests.last(), Some(&self.url()));

        assert_eq!(seen["fooled"], false, "{visit:?}: a script or a style of others had its way");
        let kept = strings(&seen["violated"]);
        let directives = [
            "connect-src",
            "frame-src",
            "img-src",
            "script-src-elem",
            "style-src-attr",
            "style-src-elem",
        ];
        assert_eq!(kept, directives, "{visit:?}");
        assert_eq!(seen["headers"]["x-content-type-options"], "nosniff", "{visit:?}");
    }

    fn text_of(&self, key: &str) -> &str {
        self.seen[key].as_str().unwrap_or_else(|| panic!("no {key}"))
    }
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|item| item.as_str().expect("text")).collect()
}
