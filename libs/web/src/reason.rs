//! Why somebody did something, in their own words: shown to others as it stands.

use crate::Problem;

/// The longest reason, in characters.
const LONGEST: usize = 200;

/// A reason that can be kept and shown: 1 to 200 characters, none of them a control character.
///
/// # Errors
/// A problem that names the field `reason`.
pub fn checked_reason(reason: String) -> Result<String, Problem> {
    if (1..=LONGEST).contains(&reason.chars().count()) && !reason.chars().any(char::is_control) {
        return Ok(reason);
    }
    Err(Problem::invalid_body().field("reason", format!("must be 1 to {LONGEST} characters on one line")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_1_to_200_characters() {
        for right in ["x", "손님이 마음을 바꿈", &"가".repeat(200)] {
            assert_eq!(checked_reason(right.to_owned()).unwrap(), right);
        }
        for wrong in ["", "two\nlines", "\u{1b}[31mred", &"x".repeat(201)] {
            let problem = checked_reason(wrong.to_owned()).unwrap_err().to_string();
            assert!(problem.contains("1 to 200 characters"), "{problem}");
        }
    }
}
