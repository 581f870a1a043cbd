//! Guesses the name that a mistyped one means.

/// How similar two names must be, from 0 to 1, to guess one for the other: a wrong guess is worse than none.
const ALIKE: f64 = 0.8;

/// The one of `names` that is most similar to `typed`, if any is similar enough; leading dashes do not count. One
/// wrong, missing or extra letter, or two swapped ones, count as more similar than anything else.
pub(crate) fn nearest<'n>(
    typed: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    fn bare(name: &str) -> &str {
        name.trim_start_matches('-')
    }
    let typed = bare(typed);
    names
        .into_iter()
        .map(|name| {
            let slip = typed.len() > 2 && strsim::osa_distance(typed, bare(name)) <= 1;
            (slip, strsim::jaro_winkler(typed, bare(name)), name)
        })
        .filter(|(slip, alike, _)| *slip || *alike >= ALIKE)
        .max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)))
        .map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_comes_before_what_is_merely_alike() {
        let names = ["--dir", "--drain-delay", "--drain-timeout", "--port", "--hsts"];
        for (typed, meant) in
            [("--dri", Some("--dir")), ("--drain", Some("--drain-delay")), ("--x", None)]
        {
            assert_eq!(nearest(typed, names), meant, "{typed}");
        }
    }
}
