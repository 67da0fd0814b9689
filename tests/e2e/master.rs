//! The machine that stands for boards: if it is broken, nothing else can be believed.

use anyhow::{Context, Result, ensure};
use farm_tests::{BOARDS, Command, Scenario};

/// The stock client is Debian's, and each board's compiler makes programs that run.
pub(crate) async fn has_what_a_board_has(scenario: Scenario) -> Result<()> {
    let master = scenario.master().await?;
    let client = master
        .run(&Command::new(["distcc", "--version"]))
        .await?
        .success()?;
    let version = client.stdout_text()?.lines().next().context("no version")?;
    ensure!(
        version.starts_with("distcc 3."),
        "unexpected client: {version}"
    );
    for board in BOARDS {
        let script = format!(
            "cd $(mktemp -d)\n\
             echo 'extern \"C\" int puts(const char *); int main() {{ return puts(\"{target}\") < 0; }}' > a.cc\n\
             {triple}-g++ -x c++ a.cc -o a\n{emulator} ./a\n",
            target = board.target,
            triple = board.triple,
            emulator = board.emulator.join(" "),
        );
        let ran = master.run(&Command::shell(script)).await?.success()?;
        ensure!(
            ran.stdout_text()?.trim() == board.target,
            "unexpected output of {ran}"
        );
    }
    Ok(())
}
