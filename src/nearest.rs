//! Which name was meant by one that is mistyped.

/// How alike two names are at least, from 0 to 1, if one is to be guessed for the other: a guess that is
/// far off is worse than none.
const ALIKE: f64 = 0.8;

/// The one of `names` that `typed` is most like, if it is like one; dashes in front say nothing.
pub(crate) fn nearest<'n>(
    typed: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    fn bare(name: &str) -> &str {
        name.trim_start_matches('-')
    }
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(bare(typed), bare(name)), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
