mod work;
use std::hint::black_box;
use std::time::Instant;
use work::Random;
use work::store::{Bare, World};
fn main() {
    let count: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(1_000_000);
    let world = World::new(count);
    let bare = Bare::new(&world);
    let mut random = Random::new(3);
    let (mut ours, mut floor) = (f64::MAX, f64::MAX);
    const N: usize = 20_000;
    for _ in 0..60 {
        let numbers: Vec<usize> = (0..N).map(|_| random.below(count as u64) as usize).collect();
        let tokens: Vec<_> = numbers.iter().map(|n| world.token(*n)).collect();
        let t = Instant::now();
        for token in &tokens { assert!(black_box(world.authenticate(token))); }
        ours = ours.min(t.elapsed().as_nanos() as f64 / N as f64);
        let numbers: Vec<usize> = (0..N).map(|_| random.below(count as u64) as usize).collect();
        let secrets: Vec<_> = numbers.iter().map(|n| world.secrets[*n]).collect();
        let t = Instant::now();
        for (id, secret) in &secrets { assert!(black_box(bare.authenticate(id, secret))); }
        floor = floor.min(t.elapsed().as_nanos() as f64 / N as f64);
    }
    println!("{count}: ours {ours:.0} floor {floor:.0} ratio {:.2}", ours / floor);
    let scaling = |threads: usize| {
        let mut best = 0f64;
        for round in 0..10u64 {
            let lists: Vec<Vec<_>> = (0..threads).map(|t| { let mut r = Random::new(round * 7 + t as u64); (0..N).map(|_| world.token(r.below(count as u64) as usize)).collect() }).collect();
            let t = Instant::now();
            std::thread::scope(|s| for list in &lists { let world = &world; s.spawn(move || for token in list { assert!(black_box(world.authenticate(token))); }); });
            best = best.max((N * threads) as f64 / t.elapsed().as_secs_f64());
        }
        best
    };
    let (one, two) = (scaling(1), scaling(2));
    println!("threads: {:.0}/s {:.0}/s = {:.2}", one, two, two / one);
}
