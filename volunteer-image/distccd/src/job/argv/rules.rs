//! The table: every option that a client may send, and what becomes of it.
//!
//! Read from the top; the first pattern that matches decides, and a word that no pattern matches is refused. A
//! trailing `*` stands for any ending, the empty one included. Meanings are those of GCC's manual, "Option Summary".

use super::pump_rules::PUMP_RULES;
use super::refusal::Why;

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Passed on, unless it contains a slash: then it could name a file.
    Keep(Value),
    /// Passed on even with a slash in it: the text goes into the object and is never opened.
    KeepText,
    /// Left out: means something to the preprocessor or the linker only, and both work on the master.
    Drop(Value),
    /// The job is refused.
    Refuse(Why),
    /// `-flto`: passed on; the job then needs the client's own version.
    IntermediateCode,
    /// `-fno-lto`: passed on; takes an `-flto` before it back.
    NoIntermediateCode,
    /// `-c`.
    Compile,
    /// `-S`.
    Assemble,
    /// `-o`: replaced by the fixed output.
    Output,
    /// `-x`: read, and replaced by the preprocessed form in front of the source.
    Language,
    /// `-Wa,`: each option behind it is checked by the assembler's own list.
    AssemblerList,
    /// `-Xassembler`: so is the word behind it.
    AssemblerWord,
    /// `-Xpreprocessor`, `-Xlinker`: clients strip the word behind it when it is, say, a `-D`, and leave this one.
    MaybeOrphaned,
    /// Pump mode: passed on with its value in the same word, which is never opened.
    Text,
    /// Pump mode: names a directory of the client's; looked for in the tree.
    Directory,
    /// Pump mode: names a file of the client's; looked for in the tree.
    File,
    /// Pump mode, `-iprefix`: the beginning of directories that others name.
    Prefix,
    /// Pump mode: names a directory by what follows the prefix. Becomes this option with the whole path.
    Prefixed(&'static str),
    /// Pump mode, `-MD`, `-MMD`: passed on.
    Dependencies,
    /// Pump mode, `-MT`, `-MQ`: text, and the name of what depends.
    Target,
    /// Pump mode, `-ffile-prefix-map=` and others: text, with the beginning of a path of the client's.
    PrefixMap,
}

/// Where an option's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// There is none, or it is part of the word.
    Within,
    /// The next word.
    Next,
    /// The rest of the word, or the next word if nothing is left.
    WithinOrNext,
}

use Action::{
    Assemble, AssemblerList, AssemblerWord, Compile, Drop, IntermediateCode, Keep, KeepText,
    Language, MaybeOrphaned, NoIntermediateCode, Output, Refuse,
};
use Value::{Next, Within, WithinOrNext};
use Why::{
    LinkTime, LoadsCode, NativeCpu, NeedsTables, NoObject, Preprocesses, ReadsFile, RunsProgram,
    Unknown, WritesFile,
};

/// What words look like, and what becomes of them.
pub(super) type Rule = (&'static str, Action);

/// Rules that are read from the top, in one list and then the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table(&'static [&'static [Rule]]);

impl Table {
    /// For sources that the client has preprocessed.
    pub(super) const PREPROCESSED: Self = Self(&[RULES]);
    /// For sources that are preprocessed here.
    pub(super) const PUMP: Self = Self(&[PUMP_RULES, RULES]);

    /// What becomes of `option`.
    pub(super) fn action(self, option: &[u8]) -> Action {
        self.rule(option)
            .map_or(Refuse(Unknown), |(_, action)| *action)
    }

    /// How many bytes of `option` are the option itself, the rest being its value.
    pub(super) fn stem_length(self, option: &[u8]) -> usize {
        self.rule(option).map_or(option.len(), |(pattern, _)| {
            pattern.trim_end_matches('*').len()
        })
    }

    fn rule(self, option: &[u8]) -> Option<&'static Rule> {
        let mut rules = self.0.iter().copied().flatten();
        rules.find(|(pattern, _)| matches(pattern, option))
    }
}

/// Whether `word` is what `pattern` describes.
pub(super) fn matches(pattern: &str, word: &[u8]) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning.as_bytes()),
        None => word == pattern.as_bytes(),
    }
}

/// The table.
pub(super) const RULES: &[Rule] = &[
    // The shape of the job.
    ("-c", Compile),
    ("-S", Assemble),
    ("-o*", Output),
    ("-x*", Language),
    ("-E", Refuse(NoObject)),
    ("-###", Refuse(NoObject)),
    ("-print-*", Refuse(NoObject)),
    ("-fsyntax-only", Refuse(NoObject)),
    // Other programs, other code, other files.
    ("@*", Refuse(ReadsFile)),
    ("-wrapper*", Refuse(RunsProgram)),
    ("-specs*", Refuse(RunsProgram)),
    ("--specs*", Refuse(RunsProgram)),
    ("-B*", Refuse(RunsProgram)),
    ("--prefix*", Refuse(RunsProgram)),
    ("-fuse-ld*", Refuse(RunsProgram)),
    ("-iplugindir*", Refuse(LoadsCode)),
    ("-fplugin*", Refuse(LoadsCode)),
    ("-fpass-plugin*", Refuse(LoadsCode)),
    ("-Xclang*", Refuse(LoadsCode)),
    ("-mllvm*", Refuse(LoadsCode)),
    ("-T*", Refuse(ReadsFile)),
    ("-include-pch*", Refuse(ReadsFile)),
    ("-fmodule*", Refuse(ReadsFile)),
    ("-fself-test*", Refuse(ReadsFile)),
    ("-foffload*", Refuse(RunsProgram)),
    ("-fcompare-debug*", Refuse(RunsProgram)),
    // The volunteer's CPU is not the board's.
    ("-march=native*", Refuse(NativeCpu)),
    ("-mtune=native*", Refuse(NativeCpu)),
    ("-mcpu=native*", Refuse(NativeCpu)),
    // Intermediate code is bound to one compiler version.
    ("-fno-lto", NoIntermediateCode),
    ("-fno-lto*", Keep(Within)),
    ("-flto", IntermediateCode),
    ("-flto=*", IntermediateCode),
    ("-flto-partition=*", Keep(Within)),
    ("-flto-compression-level=*", Keep(Within)),
    ("-flto-odr-type-merging", Keep(Within)),
    ("-flto*", Refuse(LinkTime)),
    ("-fwpa*", Refuse(LinkTime)),
    ("-fltrans*", Refuse(LinkTime)),
    ("-fresolution*", Refuse(LinkTime)),
    // Text that ends up in the object.
    ("-fdebug-prefix-map=*", KeepText),
    ("-ffile-prefix-map=*", KeepText),
    ("-fmacro-prefix-map=*", KeepText),
    ("-fprofile-prefix-map=*", KeepText),
    ("-frandom-seed=*", KeepText),
    // Files beside the object: nothing would bring them back.
    ("-save-temps*", Refuse(WritesFile)),
    ("--save-temps*", Refuse(WritesFile)),
    ("-gsplit-dwarf*", Refuse(WritesFile)),
    ("-aux*", Refuse(WritesFile)),
    ("--coverage", Refuse(WritesFile)),
    ("-coverage", Refuse(WritesFile)),
    ("-ftest-coverage", Refuse(WritesFile)),
    ("-fcondition-coverage", Refuse(WritesFile)),
    ("-fpath-coverage", Refuse(WritesFile)),
    ("-fprofile*", Refuse(WritesFile)),
    ("-fauto-profile*", Refuse(ReadsFile)),
    ("-fbranch-probabilities", Refuse(ReadsFile)),
    ("-fdump*", Refuse(WritesFile)),
    ("-fdeps-*", Refuse(WritesFile)),
    ("-frepo", Refuse(WritesFile)),
    ("-fsave-optimization-record*", Refuse(WritesFile)),
    ("-fcallgraph-info*", Refuse(WritesFile)),
    ("-fstack-usage*", Refuse(WritesFile)),
    ("-fopt-info", Keep(Within)),
    ("-fopt-info*", Refuse(WritesFile)),
    ("-fdiagnostics-format=text", Keep(Within)),
    ("-fdiagnostics-format=json", Keep(Within)),
    ("-fdiagnostics-format=json-stderr", Keep(Within)),
    ("-fdiagnostics-format=sarif-stderr", Keep(Within)),
    ("-fdiagnostics-format=*", Refuse(WritesFile)),
    ("-fdiagnostics-add-output*", Refuse(WritesFile)),
    ("-fdiagnostics-set-output*", Refuse(WritesFile)),
    ("-dA", Keep(Within)),
    ("-dp", Keep(Within)),
    ("-dP", Keep(Within)),
    ("-dumpversion", Refuse(NoObject)),
    ("-dumpfullversion", Refuse(NoObject)),
    ("-dumpmachine", Refuse(NoObject)),
    ("-dumpspecs", Refuse(NoObject)),
    ("-d*", Refuse(WritesFile)),
    // Preprocessing happened on the master: its options are done with, and it must not happen again.
    ("-fpreprocessed", Drop(Within)),
    ("-fno-preprocessed*", Refuse(Preprocesses)),
    ("-fdirectives-only*", Refuse(Preprocesses)),
    ("-D*", Drop(WithinOrNext)),
    ("-U*", Drop(WithinOrNext)),
    ("-I*", Drop(WithinOrNext)),
    ("-A*", Drop(WithinOrNext)),
    ("-include*", Drop(WithinOrNext)),
    ("-imacros*", Drop(WithinOrNext)),
    ("-iprefix*", Drop(WithinOrNext)),
    ("-iwithprefixbefore*", Drop(WithinOrNext)),
    ("-iwithprefix*", Drop(WithinOrNext)),
    ("-isystem*", Drop(WithinOrNext)),
    ("-iquote*", Drop(WithinOrNext)),
    ("-idirafter*", Drop(WithinOrNext)),
    ("-isysroot*", Drop(WithinOrNext)),
    ("-imultilib*", Drop(WithinOrNext)),
    ("-imultiarch*", Drop(WithinOrNext)),
    ("--sysroot=*", Drop(Within)),
    ("--sysroot", Drop(Next)),
    ("-MD", Drop(Within)),
    ("-MMD", Drop(Within)),
    ("-MG", Drop(Within)),
    ("-MP", Drop(Within)),
    ("-MF*", Drop(WithinOrNext)),
    ("-MT*", Drop(WithinOrNext)),
    ("-MQ*", Drop(WithinOrNext)),
    ("-M*", Refuse(NoObject)),
    ("-Wp,*", Drop(Within)),
    ("-Xpreprocessor", MaybeOrphaned),
    ("-undef", Drop(Within)),
    ("-nostdinc", Drop(Within)),
    ("-nostdinc++", Drop(Within)),
    ("-stdlib=*", Drop(Within)),
    // Preprocessed text is UTF-8 whatever the source was; a second conversion would corrupt it.
    ("-finput-charset=*", Drop(Within)),
    ("-trigraphs", Drop(Within)),
    ("-C", Drop(Within)),
    ("-CC", Drop(Within)),
    ("-P", Drop(Within)),
    ("-H", Drop(Within)),
    // So is linking.
    ("-Wl,*", Drop(Within)),
    ("-Xlinker", MaybeOrphaned),
    ("-l*", Drop(WithinOrNext)),
    ("-L*", Drop(WithinOrNext)),
    ("-u*", Drop(WithinOrNext)),
    ("-z*", Drop(WithinOrNext)),
    ("-nostdlib", Keep(Within)),
    ("-nostdlib++", Keep(Within)),
    ("-nostartfiles", Keep(Within)),
    ("-nodefaultlibs", Keep(Within)),
    ("-nolibc", Keep(Within)),
    ("-no-pie", Keep(Within)),
    ("-pie", Keep(Within)),
    ("-r", Keep(Within)),
    ("-rdynamic", Keep(Within)),
    ("-s", Keep(Within)),
    ("-static*", Keep(Within)),
    ("-shared*", Keep(Within)),
    ("-symbolic", Keep(Within)),
    // Assembling happens here.
    ("-Wa,*", AssemblerList),
    ("-Xassembler", AssemblerWord),
    // Conversions that compilers do without tables; others need files that images do not have.
    ("-fexec-charset=UTF-8", Keep(Within)),
    ("-fexec-charset=utf-8", Keep(Within)),
    ("-fexec-charset=*", Refuse(NeedsTables)),
    ("-fwide-exec-charset=UTF-*", Keep(Within)),
    ("-fwide-exec-charset=*", Refuse(NeedsTables)),
    // What only Clang has.
    ("-fdebug-compilation-dir=*", KeepText),
    ("-ffile-compilation-dir=*", KeepText),
    ("-ftime-trace*", Refuse(WritesFile)),
    ("-fcrash-diagnostics*", Refuse(WritesFile)),
    ("-fthinlto-index*", Refuse(ReadsFile)),
    ("-fsanitize-blacklist*", Refuse(ReadsFile)),
    ("-fsanitize-ignorelist*", Refuse(ReadsFile)),
    // Compiling proper.
    ("-O*", Keep(Within)),
    ("-W*", Keep(Within)),
    ("-f*", Keep(Within)),
    ("-g*", Keep(Within)),
    ("-m*", Keep(Within)),
    ("-std=*", Keep(Within)),
    ("--std=*", Keep(Within)),
    ("-ansi", Keep(Within)),
    ("--ansi", Keep(Within)),
    // Clang's; GCC says that it does not know them. The stock client puts `-target` behind the name `clang`.
    ("-target", Keep(Next)),
    ("--target=*", Keep(Within)),
    ("-Qunused-arguments", Keep(Within)),
    ("--param=*", Keep(Within)),
    ("--param", Keep(Next)),
    ("-p", Keep(Within)),
    ("-pg", Keep(Within)),
    ("-pass-exit-codes", Keep(Within)),
    ("-pedantic", Keep(Within)),
    ("-pedantic-errors", Keep(Within)),
    ("--pedantic*", Keep(Within)),
    ("-pipe", Keep(Within)),
    ("--pipe", Keep(Within)),
    ("-pthread", Keep(Within)),
    ("-time", Keep(Within)),
    ("-v", Keep(Within)),
    ("-w", Keep(Within)),
    ("-canonical-prefixes", Keep(Within)),
    ("-no-canonical-prefixes", Keep(Within)),
];

#[cfg(test)]
mod tests {
    use super::super::pump_rules::PUMP_RULES;
    use super::*;

    #[test]
    fn every_rule_can_be_reached() {
        for rules in [RULES, PUMP_RULES] {
            for (position, (pattern, _)) in rules.iter().enumerate() {
                let word = pattern.replace('*', "~");
                let first = rules
                    .iter()
                    .position(|(earlier, _)| matches(earlier, word.as_bytes()));
                assert_eq!(
                    first,
                    Some(position),
                    "{pattern} is hidden by an earlier rule"
                );
            }
        }
    }

    #[test]
    fn a_star_stands_for_any_ending_and_its_absence_for_none() {
        let cases = [
            ("-O*", "-O", true),
            ("-O*", "-Os", true),
            ("-c", "-c", true),
            ("-c", "-cc", false),
        ];
        for (pattern, word, expected) in cases {
            assert_eq!(
                matches(pattern, word.as_bytes()),
                expected,
                "{pattern} {word}"
            );
        }
    }
}
