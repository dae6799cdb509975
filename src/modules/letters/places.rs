//! Places of a space, as a tree of codes.

use crate::id;

id!(
    /// A place: a school or town, an area of it, or a point of that.
    PlaceId
);
