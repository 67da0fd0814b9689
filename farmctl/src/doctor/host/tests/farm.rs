//! What can be wrong with the farm.

use super::*;

pub(super) const CASES: &[Case<HostFacts>] = &[
    case(
        |f| volunteer(f).live = None,
        Code::FarmDown,
        Note,
        "nothing of farm attic runs",
    ),
    case(
        |f| volunteer(f).door = None,
        Code::DoorDown,
        Problem,
        "the door of armv5 does not run: it is missing",
    ),
    case(
        |f| volunteer(f).is_drained = true,
        Code::Drained,
        Note,
        "target armv5 is drained",
    ),
    case(
        |f| volunteer(f).live.as_mut().unwrap().state = LiveState::Restarting,
        Code::VolunteerDown,
        Problem,
        "it is restarting",
    ),
    case(
        |f| volunteer(f).compiles = Some(Err("the C job was not answered".to_owned())),
        Code::VolunteerUnfit,
        Problem,
        "armv5 at 10.30.5.9:3633 is not fit: the C job was not answered",
    ),
    case(
        |f| volunteer(f).compiles = None,
        Code::Unknown,
        Note,
        "it was not asked",
    ),
    case(|_| (), Code::VolunteerFit, Well, "compiles C and C++"),
    case(
        |f| volunteer(f).compilers[0].answered = Ok("12.2.0".to_owned()),
        Code::GccUnfit,
        Problem,
        "asked for GCC 14, and GCC 12.2.0 answered",
    ),
    case(
        |f| volunteer(f).compilers[0].answered = Err("no such compiler".to_owned()),
        Code::GccUnfit,
        Problem,
        "does not compile: no such compiler",
    ),
    case(|_| (), Code::GccFit, Well, "GCC 14.2.0 of volunteer armv5"),
    case(
        |f| volunteer(f).live.as_mut().unwrap().image = "farmctl/armv5:0".to_owned(),
        Code::ImageOutdated,
        Note,
        "runs farmctl/armv5:0",
    ),
    case(
        |f| volunteer(f).image = Err(unknown()),
        Code::Unknown,
        Note,
        "runs the lock's image",
    ),
    case(
        |f| f.farm.plan = Ok(vec!["start container x".to_owned()]),
        Code::FarmDiffers,
        Note,
        "start container x",
    ),
    case(
        |f| f.farm.plan = Err(unknown()),
        Code::Unknown,
        Note,
        "as the manifest describes it could not be found out",
    ),
    case(|_| (), Code::FarmAsDescribed, Well, "as the manifest"),
    case(
        |f| volunteer(f).restart = Restart::No,
        Code::NotRestarted,
        Note,
        "not started again",
    ),
];
