//! Why an argument list is refused, in sentences for the person at the master.

use super::Shown;

/// An argument list that does not compile here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The table refuses the option.
    #[error("option {0} {1}")]
    Option(Shown, Why),
    /// The option's value could be a path.
    #[error("option {0} names a file or directory of the volunteer")]
    Path(Shown),
    /// An option of the assembler that is not known to be harmless.
    #[error("assembler option {0} is not one that this volunteer passes on")]
    Assembler(Shown),
    /// The list ends where an option's value must follow.
    #[error("option {0} lacks its value")]
    ValueMissing(Shown),
    /// A word that is neither an option nor a source.
    #[error("{0} is neither an option nor a source file that can be compiled here")]
    Word(Shown),
    /// Assembler sources include files while they are assembled.
    #[error("{0} is an assembler source, which can include files of the master")]
    AssemblerSource(Shown),
    /// A language that is not sent preprocessed.
    #[error("language {0} is not compiled here")]
    Language(Shown),
    /// A second source.
    #[error("{1} is a second source file beside {0}")]
    SecondSource(Shown, Shown),
    /// A second output.
    #[error("more than one output is named")]
    SecondOutput,
    /// Nothing to compile.
    #[error("no source file is named")]
    NoSource,
    /// Preprocessing only, or linking.
    #[error("neither -c nor -S is given")]
    NoCompile,
    /// A directory below another root.
    #[error("option {0} names a directory below a system root, which is not sent in pump mode")]
    SystemRoot(Shown),
    /// A value that looks like something else.
    #[error("option {0} has a value that could be taken for another option")]
    OddValue(Shown),
    /// The end of a path without its beginning.
    #[error("option {0} comes without -iprefix, and names a directory of the compiler's own")]
    NoPrefix(Shown),
    /// GCC writes its working directory beside relative paths in intermediate code.
    #[error(
        "a prefix map makes paths relative, and -flto would then put a directory of the volunteer into the object"
    )]
    RelativeMap,
    /// Preprocessed already, in a request that says otherwise.
    #[error("{0} is preprocessed already, which nothing in pump mode is")]
    Preprocessed(Shown),
    /// A word with a NUL byte cannot be passed to any program.
    #[error("an argument contains a NUL byte")]
    Nul,
}

/// What is wrong with an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Why {
    /// Another program would run.
    #[error("would run another program on the volunteer")]
    RunsProgram,
    /// Code from outside would be loaded into the compiler.
    #[error("would load code into the compiler")]
    LoadsCode,
    /// Search paths and files that exist, if at all, on the master.
    #[error("names files that the volunteer must not read")]
    ReadsFile,
    /// Side files: only the object travels back.
    #[error("writes a file beside the object, and only the object would come back")]
    WritesFile,
    /// `native` would mean the wrong CPU.
    #[error("means the CPU of the volunteer, not yours")]
    NativeCpu,
    /// Character sets other than Unicode.
    #[error("needs conversion tables that the volunteer does not have")]
    NeedsTables,
    /// Version-bound intermediate code.
    #[error("needs exactly the same compiler version on both machines")]
    LinkTime,
    /// Sources arrive preprocessed and stay so.
    #[error("would preprocess the source a second time")]
    Preprocesses,
    /// Questions, `-E`, `-M`, `-fsyntax-only`.
    #[error("does not make an object file")]
    NoObject,
    /// The option's value was taken out on the master, so the next word's meaning is open.
    #[error("is followed by a word that may or may not belong to it")]
    Ambiguous,
    /// Needs something that is not sent, or that nobody has looked at.
    #[error("does not go with pump mode on this volunteer")]
    NotInPumpMode,
    /// Not in the table.
    #[error("is not one that this volunteer knows")]
    Unknown,
}

impl Refusal {
    /// One word for statistics, stable.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Option(_, why) => why.word(),
            Self::Path(_) => "path",
            Self::Assembler(_) => "assembler-option",
            Self::ValueMissing(_) => "value-missing",
            Self::Word(_) => "word",
            Self::AssemblerSource(_) => "assembler-source",
            Self::Language(_) => "language",
            Self::SecondSource(..) => "second-source",
            Self::SecondOutput => "second-output",
            Self::NoSource => "no-source",
            Self::NoCompile => "no-compile",
            Self::SystemRoot(_) => "system-root",
            Self::OddValue(_) => "odd-value",
            Self::NoPrefix(_) => "no-prefix",
            Self::RelativeMap => "relative-map",
            Self::Preprocessed(_) => "preprocessed",
            Self::Nul => "nul",
        }
    }
}

impl Why {
    fn word(self) -> &'static str {
        match self {
            Self::RunsProgram => "runs-program",
            Self::LoadsCode => "loads-code",
            Self::ReadsFile => "reads-file",
            Self::WritesFile => "writes-file",
            Self::NativeCpu => "native-cpu",
            Self::LinkTime => "link-time",
            Self::Preprocesses => "preprocesses",
            Self::NoObject => "no-object",
            Self::Ambiguous => "ambiguous",
            Self::NeedsTables => "needs-tables",
            Self::NotInPumpMode => "not-in-pump-mode",
            Self::Unknown => "unknown-option",
        }
    }
}
