//! Mistakes with their places, rendered for people.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::problem::Problem;
use super::source::{Source, Spot};

/// A manifest with everything that is wrong with it.
///
/// Its text is the rendered diagnostics: each begins with `error: `, shows its place where it has one, and may end in
/// a `hint: ` line.
#[derive(Debug)]
pub struct ManifestError {
    diagnostics: Vec<Diagnostic>,
    /// Found, but not shown.
    more: usize,
}

impl ManifestError {
    /// A file that cannot be read at all.
    pub(super) fn of_file(problem: Problem) -> Self {
        Self {
            diagnostics: vec![Diagnostic {
                problem,
                place: None,
                other: None,
            }],
            more: 0,
        }
    }

    /// Every mistake, file by file, from top to bottom.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// How many more there are.
    pub fn not_shown(&self) -> usize {
        self.more
    }

    /// The text with terminal colours.
    pub fn coloured(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut shown: Vec<String> = self
            .diagnostics
            .iter()
            .map(|diagnostic| diagnostic.render(renderer))
            .collect();
        if self.more > 0 {
            shown.push(format!("error: {} more mistakes are not shown", self.more));
        }
        shown.join("\n\n")
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for ManifestError {}

/// One mistake.
#[derive(Debug)]
pub struct Diagnostic {
    problem: Problem,
    place: Option<Place>,
    /// What it clashes with.
    other: Option<Place>,
}

/// Where a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The file as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

impl Diagnostic {
    /// What is wrong, in one line.
    pub fn message(&self) -> String {
        self.problem.to_string()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        self.problem.hint()
    }

    /// Where it is; `None` where a file as a whole is meant.
    pub fn position(&self) -> Option<Position> {
        self.place.as_ref().map(Place::position)
    }

    /// Where the other thing is that it clashes with.
    pub fn other_position(&self) -> Option<Position> {
        self.other.as_ref().map(Place::position)
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut error = Group::with_title(Level::ERROR.primary_title(self.message()));
        for snippet in self.snippets() {
            error = error.element(snippet);
        }
        let hint = self
            .hint()
            .map(|hint| Group::with_title(Level::HELP.with_name("hint").secondary_title(hint)));
        let report: Vec<_> = std::iter::once(error).chain(hint).collect();
        renderer.render(&report)
    }

    /// One excerpt for each file; both places share it if they are in the same file.
    fn snippets(&self) -> Vec<Snippet<'_, annotate_snippets::Annotation<'_>>> {
        let Some(place) = &self.place else {
            return Vec::new();
        };
        let shown = place
            .snippet()
            .annotation(AnnotationKind::Primary.span(place.range.clone()));
        match &self.other {
            None => vec![shown],
            Some(other) => {
                let clash = AnnotationKind::Context
                    .span(other.range.clone())
                    .label("also here");
                if Arc::ptr_eq(&other.source, &place.source) {
                    vec![shown.annotation(clash)]
                } else {
                    vec![shown, other.snippet().annotation(clash)]
                }
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    source: Arc<Source>,
    range: Range<usize>,
}

impl Place {
    fn of(spot: &Spot) -> Self {
        Self {
            source: Arc::clone(&spot.source),
            range: spot.range(),
        }
    }

    fn position(&self) -> Position {
        let (line, column) = self.source.line_and_column(self.range.start);
        Position {
            file: self.source.name().to_owned(),
            line,
            column,
        }
    }

    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        Snippet::source(self.source.text()).path(self.source.name())
    }
}

/// Collects mistakes while a manifest is read to its end.
#[derive(Debug, Default)]
pub(super) struct Findings {
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

/// More than this helps nobody, and each one costs a reading of the text.
const MOST_SHOWN: usize = 50;

impl Findings {
    /// A mistake of a whole file.
    pub(super) fn of_file(&mut self, problem: Problem) {
        self.note(|| (problem, None, None));
    }

    /// A mistake at a byte.
    pub(super) fn at_byte(&mut self, problem: Problem, source: &Arc<Source>, offset: usize) {
        let place = Place {
            source: Arc::clone(source),
            range: source.token_at(offset),
        };
        self.note(|| (problem, Some(place), None));
    }

    /// A mistake of one value.
    pub(super) fn at(&mut self, problem: Problem, spot: &Spot) {
        self.note(|| (problem, Some(Place::of(spot)), None));
    }

    /// Two values that cannot both be.
    pub(super) fn clash(&mut self, problem: Problem, spot: &Spot, other: &Spot) {
        self.note(|| (problem, Some(Place::of(spot)), Some(Place::of(other))));
    }

    fn note(&mut self, found: impl FnOnce() -> (Problem, Option<Place>, Option<Place>)) {
        if self.diagnostics.len() == MOST_SHOWN {
            self.more += 1;
            return;
        }
        let (problem, place, other) = found();
        let is_known = |known: &Diagnostic| known.problem == problem && known.place == place;
        if !self.diagnostics.iter().any(is_known) {
            self.diagnostics.push(Diagnostic {
                problem,
                place,
                other,
            });
        }
    }

    /// An error, unless nothing was found.
    pub(super) fn into_result(mut self) -> Result<(), ManifestError> {
        if self.diagnostics.is_empty() {
            return Ok(());
        }
        self.order();
        Err(ManifestError {
            diagnostics: self.diagnostics,
            more: self.more,
        })
    }

    /// File by file as they were read, and from top to bottom in each.
    fn order(&mut self) {
        let mut files: Vec<*const Source> = Vec::new();
        for place in self
            .diagnostics
            .iter()
            .filter_map(|found| found.place.as_ref())
        {
            let file = Arc::as_ptr(&place.source);
            if !files.contains(&file) {
                files.push(file);
            }
        }
        self.diagnostics.sort_by_key(|found| {
            let place = found.place.as_ref()?;
            let file = Arc::as_ptr(&place.source);
            Some((
                files.iter().position(|known| *known == file),
                place.range.start,
            ))
        });
    }
}
