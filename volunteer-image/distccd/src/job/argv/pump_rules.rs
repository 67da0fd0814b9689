//! The table for pump mode: what differs from the one for preprocessed sources, and nothing else.
//!
//! There the preprocessor's options are done with; here it runs, so they pass, and the files that they name are looked
//! for in the tree of the client's files. What is not in this table is as it is in [`super::rules`].

use super::refusal::Why;
use super::rules::Action::{
    Dependencies, Directory, Drop, File, Keep, Prefix, PrefixMap, Prefixed, Refuse, Target, Text,
};
use super::rules::Rule;
use super::rules::Value::{Next, Within, WithinOrNext};

/// The table.
pub(super) const PUMP_RULES: &[Rule] = &[
    // Names and values: never opened.
    ("-D*", Text),
    ("-U*", Text),
    ("-A*", Text),
    // Where headers are looked for, and headers.
    ("-I*", Directory),
    ("-isystem*", Directory),
    ("-iquote*", Directory),
    ("-idirafter*", Directory),
    ("-iprefix*", Prefix),
    ("-iwithprefixbefore*", Prefixed("-I")),
    ("-iwithprefix*", Prefixed("-isystem")),
    ("-include-pch*", Refuse(Why::ReadsFile)),
    ("-include*", File),
    ("-imacros*", File),
    // Another system than the compiler's own: its headers are not sent.
    ("-isysroot*", Refuse(Why::NotInPumpMode)),
    ("--sysroot*", Refuse(Why::NotInPumpMode)),
    ("-imultilib*", Refuse(Why::NotInPumpMode)),
    ("-imultiarch*", Refuse(Why::NotInPumpMode)),
    // What the object depends on is always told, in a file of our own.
    ("-MD", Dependencies),
    ("-MMD", Dependencies),
    ("-MG", Keep(Within)),
    ("-MP", Keep(Within)),
    ("-MF*", Drop(WithinOrNext)),
    ("-MT*", Target),
    ("-MQ*", Target),
    // Words for the preprocessor that nobody has looked at. Clients take such lists apart.
    ("-Wp,*", Refuse(Why::NotInPumpMode)),
    ("-Xpreprocessor", Refuse(Why::NotInPumpMode)),
    // No value is ever taken out of a pump request.
    ("-Xlinker", Drop(Next)),
    // The source is none that is preprocessed already.
    ("-fpreprocessed*", Refuse(Why::NotInPumpMode)),
    // How to preprocess.
    ("-undef", Keep(Within)),
    ("-nostdinc", Keep(Within)),
    ("-nostdinc++", Keep(Within)),
    ("-stdlib=*", Keep(Within)),
    ("-finput-charset=UTF-8", Keep(Within)),
    ("-finput-charset=utf-8", Keep(Within)),
    ("-finput-charset=*", Refuse(Why::NeedsTables)),
    ("-trigraphs", Keep(Within)),
    ("-C", Keep(Within)),
    ("-CC", Keep(Within)),
    ("-P", Keep(Within)),
    ("-H", Keep(Within)),
    // Path names in objects.
    ("-fdebug-prefix-map=*", PrefixMap),
    ("-ffile-prefix-map=*", PrefixMap),
    ("-fmacro-prefix-map=*", PrefixMap),
    ("-fprofile-prefix-map=*", PrefixMap),
];

#[cfg(test)]
mod tests {
    use super::super::rules::{RULES, matches};
    use super::*;

    #[test]
    fn whatever_is_left_out_of_a_preprocessed_job_is_decided_anew_unless_it_is_the_linkers() {
        const LINKING: &[&str] = &["-Wl,*", "-l*", "-L*", "-u*", "-z*"];
        let left_out = RULES.iter().filter(|(_, action)| matches!(action, Drop(_)));
        for (pattern, _) in left_out.filter(|(pattern, _)| !LINKING.contains(pattern)) {
            let word = pattern.trim_end_matches('*').as_bytes();
            assert!(
                PUMP_RULES.iter().any(|(known, _)| matches(known, word)),
                "{pattern}"
            );
        }
    }

    #[test]
    fn nothing_that_is_refused_in_a_preprocessed_job_passes_here() {
        let refused = RULES
            .iter()
            .filter(|(_, action)| matches!(action, Refuse(_)));
        for (pattern, _) in refused {
            let word = pattern.trim_end_matches('*').as_bytes();
            let decided = PUMP_RULES.iter().find(|(known, _)| matches(known, word));
            assert!(
                decided.is_none_or(|(_, action)| matches!(action, Refuse(_))),
                "{pattern}"
            );
        }
    }
}
