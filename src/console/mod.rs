//! Text output that the rooms of the program share: colours, words for a shell, causes of errors, and advice
//! about the permissions of files.

pub(crate) mod causes;
pub(crate) mod colour;
pub(crate) mod permissions;
pub(crate) mod shell;
