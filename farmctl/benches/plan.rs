//! What farmctl itself computes for a farm of 1,000 hosts with five targets each: its manifest, its wish, its plan, its
//! host lines. Nothing is asked of an engine. What the figures mean is in docs/scale.md.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use farmctl::converge::{Desired, Surroundings, desired, diff, slots};
use farmctl::engine::{
    EngineFacts, LiveContainer, LiveNetwork, LiveVolume, Observed, TaggedImage, network_name,
};
use farmctl::farm::{
    Architecture, DialAddress, Farm, Host, ImageTag, Memory, TargetName, volume_name,
    volume_options,
};
use farmctl::hosts::{Consumer, Line, render};
use farmctl::manifest;

const HOSTS: u32 = 1_000;

criterion_group!(benches, planning, lines);
criterion_main!(benches);

fn planning(criterion: &mut Criterion) {
    let farm = farm();
    let images = images(&farm);
    let standing: Vec<Observed> = farm
        .hosts
        .iter()
        .map(|host| standing(&wish(&farm, host, &images)))
        .collect();
    let nothing = vec![Observed::default(); farm.hosts.len()];
    let newer = images.keys().cloned().map(|target| {
        let tag = ImageTag::new(format!("farmctl/{target}:newer"));
        (target, tag)
    });
    let newer: BTreeMap<_, _> = newer.collect();

    let mut group = criterion.benchmark_group("1,000 hosts with five targets");
    group.sample_size(10);
    group.bench_function("wish and plan, nothing to do", |bencher| {
        bencher.iter(|| plans(&farm, &images, &standing));
    });
    group.bench_function("wish and plan, nothing there", |bencher| {
        bencher.iter(|| plans(&farm, &images, &nothing));
    });
    group.bench_function("wish and plan, every image newer", |bencher| {
        bencher.iter(|| plans(&farm, &newer, &standing));
    });
    group.finish();
}

fn lines(criterion: &mut Criterion) {
    let farm = farm();
    let engine = engine();
    let mut all = Vec::new();
    for host in &farm.hosts {
        let address = DialAddress::from(address(host));
        all.extend(host.volunteers.iter().map(|volunteer| {
            Line::new(
                &volunteer.target,
                address.clone(),
                slots(volunteer, &engine),
            )
        }));
    }
    criterion.bench_function("host lines of 1,000 hosts", |bencher| {
        bencher.iter(|| render(black_box(&all), Consumer::Makepkg, None));
    });
}

/// How many steps the plans of all hosts have.
fn plans(farm: &Farm, images: &BTreeMap<TargetName, ImageTag>, observed: &[Observed]) -> usize {
    let plans = farm.hosts.iter().zip(observed).map(|(host, observed)| {
        let wish = wish(farm, host, images);
        diff(&wish, observed).expect("nothing stands in the way")
    });
    plans.map(|plan| plan.steps().len()).sum()
}

fn wish(farm: &Farm, host: &Host, images: &BTreeMap<TargetName, ImageTag>) -> Desired {
    let surroundings = Surroundings {
        engine: &engine(),
        publish: address(host),
        images,
    };
    desired(&farm.name, &farm.allow, host, &surroundings).expect("every target has an image")
}

/// The default farm's host, many times.
fn farm() -> Farm {
    let mut farm = manifest::parse("farm: hall\n", "farm.yaml").expect("a small manifest");
    let one = farm.hosts.remove(0);
    let host = |number: u32| Host {
        name: format!("host{number}").parse().expect("a name"),
        address: farmctl::farm::Address::Given(IpAddr::from(nth(number)).into()),
        ..one.clone()
    };
    farm.hosts = (0..HOSTS).map(host).collect();
    assert_eq!(
        farm.hosts
            .iter()
            .map(|host| host.volunteers.len())
            .sum::<usize>(),
        5_000
    );
    farm
}

fn nth(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 1)) + number)
}

fn address(host: &Host) -> IpAddr {
    match &host.address {
        farmctl::farm::Address::Given(address) => address.ip().expect("an address"),
        farmctl::farm::Address::Auto => unreachable!("every host has one"),
    }
}

fn images(farm: &Farm) -> BTreeMap<TargetName, ImageTag> {
    let targets = farm.hosts[0].volunteers.iter().map(|volunteer| {
        let target: &Arc<_> = &volunteer.target;
        target.name.clone()
    });
    targets
        .map(|target| {
            let tag = ImageTag::new(format!("farmctl/{target}:1"));
            (target, tag)
        })
        .collect()
}

fn engine() -> EngineFacts {
    EngineFacts {
        version: "20.10".to_owned(),
        architecture: Architecture::Amd64,
        processors: 16,
        memory: Memory::from_bytes(32 << 30),
        swap_limit: true,
        process_limit: true,
    }
}

/// What an engine shows that runs `wish`.
fn standing(wish: &Desired) -> Observed {
    let mut observed = Observed {
        networks: vec![LiveNetwork {
            id: "n".to_owned(),
            name: network_name(&wish.farm),
            is_isolated: true,
        }],
        ..Observed::default()
    };
    for spec in &wish.targets {
        let id = |role: &str| format!("{role}-{}", spec.target);
        observed
            .volunteers
            .push(LiveContainer::running(spec, id("volunteer")));
        observed
            .doors
            .push(LiveContainer::open_door(spec, id("door")));
        observed.volumes.push(LiveVolume {
            name: volume_name(&spec.farm, &spec.target),
            is_ours: true,
            target: Some(spec.target.clone()),
            options: Some(volume_options()),
        });
        let image = TaggedImage::assembled(&spec.image);
        observed.images.insert(spec.image.clone(), image);
    }
    observed
}
