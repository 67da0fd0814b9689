//! A distcc compile server.
