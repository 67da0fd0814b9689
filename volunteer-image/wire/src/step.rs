//! How a decoder goes from state to state.

use crate::error::WireError;

/// What came of one advance; each carries the next state.
#[derive(Debug)]
pub(crate) enum Step<S, E> {
    /// More input is needed.
    Wait(S),
    /// The next state can go on.
    Go(S),
    /// There is an event to tell.
    Emit(S, E),
}

/// Advances until there is an event, an error, or nothing to go on with.
///
/// `advance` takes a state by value, so that none is used twice. The state after an error is made from the error.
pub(crate) fn drive<S: From<WireError>, E>(
    mut state: S,
    mut advance: impl FnMut(S) -> Result<Step<S, E>, WireError>,
) -> (S, Result<Option<E>, WireError>) {
    loop {
        state = match advance(state) {
            Ok(Step::Go(state)) => state,
            Ok(Step::Wait(state)) => return (state, Ok(None)),
            Ok(Step::Emit(state, event)) => return (state, Ok(Some(event))),
            Err(error) => return (error.clone().into(), Err(error)),
        };
    }
}
