//! The engine's words about itself, from its two calls for that.

use std::time::SystemTime;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{SystemInfo, SystemInfoCgroupVersionEnum, SystemVersion};

use super::super::EngineError;
use super::super::system::{Confinement, EngineClock, EngineSystem, time};
use super::DockerEngine;

impl DockerEngine {
    /// What the engine says of its surroundings. Not of [`Engine`](super::super::Engine), for no plan is made of it.
    pub async fn system(&self) -> Result<EngineSystem, EngineError> {
        let doing = self.doing("ask the engine about its surroundings");
        system(&self.docker)
            .await
            .map_err(|error| doing.failed(error))
    }
}

async fn system(docker: &Docker) -> Result<EngineSystem, Error> {
    let asked = SystemTime::now();
    let system = docker.info().await?;
    let answered = SystemTime::now();
    let version = docker.version().await?;
    let clock = system.system_time.as_deref().and_then(time);
    let mut told = of(system, version);
    told.clock = clock.map(|clock| EngineClock::new(clock, asked, answered));
    Ok(told)
}

fn of(system: SystemInfo, version: SystemVersion) -> EngineSystem {
    let text = system.server_version.unwrap_or_default();
    EngineSystem {
        release: release(&text),
        version: text,
        product: product(version),
        operating_system: system.operating_system,
        kernel: system.kernel_version,
        storage_driver: system.driver,
        cgroup_version: match system.cgroup_version {
            Some(SystemInfoCgroupVersionEnum::_1) => Some(1),
            Some(SystemInfoCgroupVersionEnum::_2) => Some(2),
            _ => None,
        },
        security: system
            .security_options
            .unwrap_or_default()
            .iter()
            .map(|option| confinement(option))
            .collect(),
        root_directory: system.docker_root_dir.map(Into::into),
        firewall: system.firewall_backend.and_then(|backend| backend.driver),
        limits_memory: system.memory_limit,
        limits_processes: system.pids_limit,
        clock: None,
    }
}

fn product(version: SystemVersion) -> Vec<String> {
    let platform = version.platform.map(|platform| platform.name);
    let components = version.components.unwrap_or_default();
    platform
        .into_iter()
        .chain(components.into_iter().map(|component| component.name))
        .filter(|name| !name.is_empty())
        .collect()
}

fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// `name=seccomp,profile=default`.
fn confinement(option: &str) -> Confinement {
    let mut fields = option.split(',').map(|field| {
        let (key, value) = field.split_once('=').unwrap_or(("name", field));
        (key, value.to_owned())
    });
    let mut of = Confinement {
        name: String::new(),
        profile: None,
    };
    for (key, value) in &mut fields {
        match key {
            "name" => of.name = value,
            "profile" => of.profile = Some(value),
            _ => {}
        }
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_security_options_and_versions() {
        let seccomp = confinement("name=seccomp,profile=default");
        assert_eq!(
            (seccomp.name.as_str(), seccomp.profile.as_deref()),
            ("seccomp", Some("default"))
        );
        assert_eq!(confinement("apparmor").name, "apparmor");
        assert_eq!(release("20.10.24+dfsg1"), Some((20, 10)));
        assert_eq!(release("master"), None);
    }
}
