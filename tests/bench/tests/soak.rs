//! The short soak: what very many jobs would leave behind, some hundred leave, too.
#![cfg(target_arch = "x86_64")]

use std::env;

use farm_bench::compilers::NullCompiler;
use farm_bench::daemon::Setup;
use farm_bench::soak::Soak;

#[test]
fn two_thousand_jobs_of_all_kinds_leave_nothing_behind() {
    let setup = Setup {
        ours: vec![env!("CARGO_BIN_EXE_farm-bench").into(), "distccd".into()],
        stock: "/usr/bin/distccd".into(),
        jobs: 4,
        folder: env::temp_dir(),
    };
    let soak = Soak {
        jobs: 2000,
        connections: 8,
    };
    let null = NullCompiler::build().unwrap();
    soak.run(&setup, &null).unwrap();
}
