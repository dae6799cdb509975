//! Each kind of rule on texts.
