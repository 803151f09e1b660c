//! What a field really holds, where the recorded word of OPTIONS for it is coarse ("field",
//! "list"). The idea: OPTIONS stays as its readers know it, and the schema still tells the truth.

use crate::document;
use crate::field::{Field, Kind};

/// The shape of a value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// As a field of this kind.
    Of(Kind),
    /// Nothing.
    Null,
    /// Any value at all.
    Json,
    /// A text that fits this pattern.
    Pattern(&'static str),
    /// An object with these fields.
    Object(&'static [Field]),
    /// An object with any keys and values of this shape.
    Map(&'static Shape),
    /// A list of values of this shape.
    List(&'static Shape),
    /// A document, as bodies hold it.
    Document(&'static document::Shape),
    /// One of these.
    Or(&'static [Shape]),
}

/// A text.
pub const TEXT: Shape = Shape::Of(Kind::Text(None));
/// A text or nothing.
pub const TEXT_OR_NULL: Shape = Shape::Or(&[TEXT, Shape::Null]);
/// A whole number.
pub const INTEGER: Shape = Shape::Of(Kind::Integer(None, None));
/// A whole number or nothing.
pub const INTEGER_OR_NULL: Shape = Shape::Or(&[INTEGER, Shape::Null]);
/// A number.
pub const NUMBER: Shape = Shape::Of(Kind::Float);
/// A number or nothing.
pub const NUMBER_OR_NULL: Shape = Shape::Or(&[NUMBER, Shape::Null]);
/// An address.
pub const ADDRESS: Shape = Shape::Of(Kind::Url(2048));
/// An address or nothing.
pub const ADDRESS_OR_NULL: Shape = Shape::Or(&[ADDRESS, Shape::Null]);
/// A list of texts.
pub const TEXTS: Shape = Shape::List(&TEXT);
/// A list of whole numbers.
pub const INTEGERS: Shape = Shape::List(&INTEGER);
/// A list that is always empty.
pub const NOTHING: Shape = Shape::List(&Shape::Or(&[]));
/// An object of any content.
pub const OBJECT: Shape = Shape::Map(&Shape::Json);
