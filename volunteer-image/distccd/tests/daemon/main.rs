//! The daemon over loopback: in process with a compiler that plays ([`jobs`], [`refusals`], [`limits`], [`stats`]), in
//! process with the machine's own GCC ([`compilers`]), and as a program ([`program`], [`leftovers`], [`stock`]), several
//! of them behind a [`door`].

mod compilers;
mod door;
mod harness;
mod jobs;
mod leftovers;
mod limits;
mod program;
mod pump;
mod refusals;
mod sandbox;
mod served;
mod stats;
mod stock;
mod versions;
