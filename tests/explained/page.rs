//! The table in `backends/README.md` of what each backend can report.

const PAGE: &str = include_str!("../../backends/README.md");

/// The page says that `backend` reports this reason. The result is how its lines may begin.
#[track_caller]
pub(crate) fn assert_reports(backend: &str, reason: &str) -> Vec<&'static str> {
    let lines = PAGE.lines().skip_while(|line| !line.starts_with("| a connection failed because"));
    let mut rows = lines.take_while(|line| line.starts_with('|')).map(cells);
    let column = rows.next().and_then(|head| head.iter().position(|name| *name == backend));
    let reason = format!("`{reason}`");
    let row = rows.find(|row| row[2] == reason).unwrap_or_else(|| panic!("no row for {reason}"));
    assert_eq!(row[column.expect("a column")], "yes", "{reason}: {backend}");
    row[1].split('`').skip(1).step_by(2).collect()
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
