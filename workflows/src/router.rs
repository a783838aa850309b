//! Which way is open to a user.
