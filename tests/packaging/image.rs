//! The `Dockerfile`, and the manifests for Kubernetes, as far as can be seen without either.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::install::files_in;
use crate::support::{Output, apart, python, run, tool};

const DEADLINE: Duration = Duration::from_secs(120);
const MANIFESTS: &str = "packaging/kubernetes/turnkey.yaml";

/// A tool of `.venv`, in the folder of the project.
fn venv(name: &str, args: &[&str]) -> Output {
    let mut command = tool(&format!("{}/.venv/bin/{name}", env!("CARGO_MANIFEST_DIR")));
    command.args(args).current_dir(env!("CARGO_MANIFEST_DIR"));
    run(command, b"", DEADLINE)
}

#[test]
fn the_dockerfile_is_well_formed() {
    let output = venv("hadolint", &["Dockerfile"]);
    assert_eq!((output.code, output.text().as_str()), (Some(0), ""), "{output:?}");
}

#[test]
fn the_manifests_are_what_kubernetes_takes() {
    let output = venv("kubernetes-validate", &["--strict", MANIFESTS]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let said = format!("{}{}", output.text(), output.stderr);
    assert_eq!(said.matches(" passed for resource ").count(), 3, "{said}");
}

/// The manifests, as values.
fn manifests() -> Vec<Value> {
    let mut python = python();
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";
    python.args(["-c", script]);
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(MANIFESTS)).unwrap();
    serde_json::from_str(&run(python, &text, DEADLINE).text()).unwrap()
}

/// What the manifests promise each other, and the image and the program keep.
#[test]
fn the_manifests_agree_with_the_image_and_the_program() {
    let all = manifests();
    let pod = &all[0]["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["ports"][0]["containerPort"], 8443);
    assert_eq!(all[1]["spec"]["ports"][0]["targetPort"], container["ports"][0]["name"]);
    assert_eq!(all[1]["spec"]["selector"], all[0]["spec"]["template"]["metadata"]["labels"]);
    assert_eq!(all[2]["spec"]["selector"], all[0]["spec"]["selector"]);
    assert_eq!(
        container["readinessProbe"]["httpGet"]["path"],
        variable(container, "TURNKEY_HEALTH")
    );
    let seconds = |name: &str| variable(container, name).parse::<u64>().unwrap();
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(seconds("TURNKEY_DRAIN_DELAY") + seconds("TURNKEY_DRAIN_TIMEOUT") < grace);
    let image = container["image"].as_str().unwrap();
    assert_eq!(image, concat!("turnkey:", env!("CARGO_PKG_VERSION")));
    let dockerfile = instructions();
    assert!(dockerfile.iter().any(|line| line == "USER 65532:65532"), "{dockerfile:?}");
    assert_eq!(pod["securityContext"]["runAsUser"], 65532);
}

fn variable<'c>(container: &'c Value, name: &str) -> &'c str {
    let all = container["env"].as_array().unwrap();
    let found = all.iter().find(|variable| variable["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {all:?}"))["value"].as_str().unwrap()
}

/// The lines of the `Dockerfile`'s last stage, which make the image.
fn instructions() -> Vec<String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Dockerfile")).unwrap();
    let (_, stage) = text.rsplit_once("\nFROM scratch\n").unwrap();
    stage.lines().map(str::to_owned).collect()
}

/// What is copied into the image suffices, as the user and with the variables that the manifest names.
#[test]
fn what_is_in_the_image_serves_and_takes_a_new_secret() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let in_project = |path: &str| format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let mut lay_out = tool("sh");
    lay_out
        .args([&in_project("packaging/image-root.sh"), env!("CARGO_BIN_EXE_turnkey")])
        .arg(&root);
    let output = run(lay_out, b"", DEADLINE);
    assert_eq!(output.code, Some(0), "{output:?}");
    let files = files_in(&root);
    assert!(files.len() < 16, "{files:?}");
    assert!(!files.iter().any(|file| file.ends_with("sh")), "a shell: {files:?}");

    let mut variables: Vec<String> = Vec::new();
    for line in instructions() {
        let Some(set) = line.strip_prefix("ENV ") else { continue };
        variables.extend(set.split(' ').map(str::to_owned));
    }
    let all = manifests();
    let container = &all[0]["spec"]["template"]["spec"]["containers"][0];
    for set in container["env"].as_array().unwrap() {
        let text = |name: &str| set[name].as_str().unwrap();
        variables.push(format!("{}={}", text("name"), text("value")));
    }

    let mut script = apart("tests/packaging/image.sh");
    script.arg(env!("CARGO_BIN_EXE_turnkey"));
    script.args([&root, folder.path()]).args(variables);
    let output = run(script, b"", DEADLINE);
    let text = output.text();
    let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    let said: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    let expected = [
        "written nothing",
        "healthy 200",
        "served Top-level content",
        "as 65532:65532, 0000000000000000",
        "echoed 300000",
        "served Top-level content",
        "left 0",
    ];
    assert_eq!(said, expected, "{text}{}{log}", output.stderr);
    assert!(log.contains("reloaded (a file changed)"), "{log}");
}
