//! Whole numbers in texts, as Python reads them. The idea: nothing is too large to be a number; what
//! is past the bits that there are is the largest that they hold.

/// A whole number in a text: spaces around it and a fraction of zeros are taken, what is past 64
/// bits becomes the largest or smallest number.
pub(crate) fn parse_integer(text: &str) -> Option<i64> {
    let wide = parse_wide(text)?;
    let past = if wide < 0 { i64::MIN } else { i64::MAX };
    Some(i64::try_from(wide).unwrap_or(past))
}

/// The same of 128 bits. Digits of full width, as keyboards for East Asian scripts write them, are
/// taken as Python takes them.
pub(crate) fn parse_wide(text: &str) -> Option<i128> {
    let text: String = text.trim().chars().map(narrow).collect();
    let cut = text.trim_end_matches('0').strip_suffix('.');
    let whole = cut.unwrap_or(&text);
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let past = if whole.starts_with('-') {
        i128::MIN
    } else {
        i128::MAX
    };
    Some(whole.parse().unwrap_or(past))
}

/// A digit of full width as the digit that it is.
fn narrow(c: char) -> char {
    let full = u32::from(c).checked_sub(u32::from('０'));
    full.and_then(|digit| char::from_digit(digit, 10))
        .unwrap_or(c)
}
