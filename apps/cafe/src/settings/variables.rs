//! Variables of the environment that look like settings and are none: a mistyped one would be overlooked otherwise.

use std::fmt;

use confique::Config;
use confique::meta::FieldKind;

use super::Settings;

/// Read by this program, though they are no settings of a cafe.
const BESIDES: [&str; 2] = ["CAFE_LOG", "CAFE_CONFIG"];
/// So many letters apart, one name may have been meant for another.
const TYPO_LIMIT: usize = 2;

/// A `CAFE_*` variable that means nothing to this program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    name: String,
    meant: Option<&'static str>,
}

/// Every one that is set.
pub(crate) fn unknown_variables() -> Vec<UnknownVariable> {
    let known = known();
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ours = set.filter(|name| name.starts_with("CAFE_") && !known.contains(&name.as_str()));
    ours.map(|name| UnknownVariable { meant: nearest(&name, &known), name }).collect()
}

/// Warns of those that may be mistyped; the others may be somebody else's.
pub(crate) fn warn_of_mistyped_variables() {
    for variable in unknown_variables().iter().filter(|variable| variable.meant.is_some()) {
        tracing::warn!("{variable}");
    }
}

fn known() -> Vec<&'static str> {
    let settings = Settings::META.fields.iter().filter_map(|field| match field.kind {
        FieldKind::Leaf { env, .. } => env,
        FieldKind::Nested { .. } => None,
    });
    settings.chain(BESIDES).collect()
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let apart = |other: &&'static str| strsim::osa_distance(name, other);
    known.iter().copied().min_by_key(apart).filter(|other| apart(other) <= TYPO_LIMIT)
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a setting", self.name)?;
        self.meant.map_or(Ok(()), |meant| write!(f, "; did you mean {meant}?"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_a_settings_is_taken_for_it() {
        for (name, meant) in [
            ("CAFE_PAYBY", Some("CAFE_PAY_BY")),
            ("CAFE_ROBOT_SPEDE", Some("CAFE_ROBOT_SPEED")),
            ("CAFE_LOGS", Some("CAFE_LOG")),
            ("CAFE_CHAIRS", None),
            ("CAFE_KEEP", None),
        ] {
            assert_eq!(nearest(name, &known()), meant, "{name}");
        }
    }
}
