//! The daemon over loopback: in process with a compiler that plays ([`jobs`], [`refusals`], [`limits`]), in process with the
//! machine's own GCC ([`compilers`]), and as a program ([`program`],
//! [`stock`]).

mod compilers;
mod harness;
mod jobs;
mod limits;
mod program;
mod pump;
mod refusals;
mod sandbox;
mod served;
mod stock;
mod versions;
