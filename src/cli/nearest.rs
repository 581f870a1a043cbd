//! Which name was meant by one that is mistyped.

/// How alike two names are at least, from 0 to 1, if one is to be guessed for the other: a guess that is
/// far off is worse than none.
const ALIKE: f64 = 0.8;

/// The one of `names` that `typed` is most like, if it is like one; dashes in front say nothing. One
/// letter that is wrong, missing or too many, or two that are swapped, come before all else.
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
