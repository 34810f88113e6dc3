//! A model of `shaders/kernel/subgroup.wgsl` in plain Rust. It runs the same schedule, lane by lane, but turns no
//! columns, on subgroups of every size, including sizes that vary within a workgroup and subgroups that its end cuts
//! off. The software drivers of the other tests have subgroups of 4 and 8 lanes only.

mod common;

use batchinv::plan::{GpuLimits, KernelConfig, SUBGROUP_WORKGROUP, Subgroup, Variant};
use batchinv::{GpuKernel, Precision, ScalarKind, Stack, invert_reference};
use common::cases::{self, Random};
use common::{oracle, with};

/// The registers of one invocation.
#[derive(Clone)]
struct Invocation {
    /// The invocation's index in its subgroup, and the index in the workgroup at which the subgroup begins.
    lane: usize,
    subgroup: usize,
    /// The number of active invocations in the subgroup.
    active: usize,
    matrix: Option<usize>,
    rows: Vec<Vec<f32>>,
    /// The reciprocal of the pivot of each row.
    reciprocals: Vec<f32>,
    places: Vec<u32>,
    origins: Vec<usize>,
    best: u32,
    winner: u32,
    finite: bool,
    status: i32,
}

const NOBODY: u32 = u32::MAX;
const LARGEST_PIVOT: u32 = 0x7e80_0000;

fn key(x: f32) -> u32 {
    x.to_bits() & 0x7fff_ffff
}

/// The configuration of `subgroup`.
fn config(variant: Variant) -> Subgroup {
    match variant.config {
        KernelConfig::Subgroup(config) => config,
        other => panic!("{other:?}"),
    }
}

/// A workgroup in lockstep.
struct Workgroup {
    variant: Variant,
    lanes: Vec<Invocation>,
}

impl Workgroup {
    /// A workgroup made of subgroups of these sizes, repeated to its end, which
    /// works on the first matrices of `stack`.
    fn new(variant: Variant, sizes: &[usize], stack: Stack<'_, f32>) -> Self {
        let (n, slice) = (variant.order as usize, config(variant).lanes as usize);
        let count = variant.workgroup() as usize;
        let mut starts: Vec<(usize, usize)> = Vec::new();
        let mut sizes = sizes.iter().cycle();
        while starts.iter().map(|(_, size)| size).sum::<usize>() < count {
            let start = starts.iter().map(|(_, size)| size).sum();
            starts.push((start, *sizes.next().unwrap()));
        }
        let lanes = starts.iter().flat_map(|&(start, size)| {
            let active = size.min(count - start);
            (0..active).map(move |lane| (start, lane, active))
        });
        let invocation = |(subgroup, lane, active)| {
            let own = lane % slice;
            let matrix = (subgroup + lane) / slice;
            let matrix = (matrix < stack.len()).then_some(matrix);
            let row_at = |r: usize| {
                matrix.filter(|_| own + r * slice < n).map(|m| &stack.matrix(m)[(own + r * slice) * n..][..n])
            };
            let held = config(variant).rows(variant.order) as usize;
            let rows: Vec<Vec<f32>> = (0..held).map(|r| row_at(r).map_or(vec![0.0; n], <[f32]>::to_vec)).collect();
            let place = |r: usize| row_at(r).map_or(0, |_| ((n + own + r * slice) * 256 + own + r * slice) as u32);
            let finite = rows.iter().flatten().all(|x| x.is_finite());
            let places = (0..held).map(place).collect();
            let (best, winner, origins, status, reciprocals) = (0, NOBODY, Vec::new(), 0, vec![0.0; held]);
            Invocation {
                lane,
                subgroup,
                active,
                matrix,
                rows,
                reciprocals,
                places,
                origins,
                best,
                winner,
                finite,
                status,
            }
        };
        Self { variant, lanes: lanes.map(invocation).collect() }
    }

    /// Gives each invocation the value of `get` in lane `from` of its subgroup. The lane must be active.
    fn shuffle<V: Copy>(&self, get: impl Fn(&Invocation) -> V, from: impl Fn(&Invocation) -> usize) -> Vec<V> {
        let one = |invocation: &Invocation| {
            let source = from(invocation);
            assert!(source < invocation.active, "lane {source} of {} in a shuffle", invocation.active);
            let other = &self.lanes[invocation.subgroup + source];
            assert_eq!(other.matrix, invocation.matrix, "a shuffle between matrices");
            get(other)
        };
        self.lanes.iter().map(one).collect()
    }

    /// Calls `exchange` with each XOR mask of a butterfly over the lanes of a slice.
    fn butterfly(&mut self, mut exchange: impl FnMut(&mut Self, usize)) {
        let masks = (0..).map(|power| 1 << power).take_while(|&mask| mask < config(self.variant).lanes as usize);
        for mask in masks.collect::<Vec<_>>() {
            exchange(self, mask);
        }
    }

    fn all_finite(&mut self) {
        self.butterfly(|group, mask| {
            let others = group.shuffle(|lane| lane.finite, |lane| lane.lane ^ mask);
            group.lanes.iter_mut().zip(others).for_each(|(lane, other)| lane.finite &= other);
        });
    }

    fn run(mut self, inverses: &mut [f32], statuses: &mut [i32]) {
        let (n, slice) = (self.variant.order as usize, config(self.variant).lanes as usize);
        self.all_finite();
        for lane in &mut self.lanes {
            lane.status = if lane.finite { 0 } else { -1 };
        }
        for k in 0..n {
            for lane in &mut self.lanes {
                (lane.best, lane.winner) = (0, NOBODY);
                for (row, &place) in lane.rows.iter().zip(&lane.places) {
                    if place >= (n * 256) as u32 {
                        lane.best = lane.best.max(key(row[k]));
                    }
                }
            }
            self.butterfly(|group, mask| {
                let others = group.shuffle(|lane| lane.best, |lane| lane.lane ^ mask);
                group.lanes.iter_mut().zip(others).for_each(|(lane, best)| lane.best = lane.best.max(best));
            });
            for lane in &mut self.lanes {
                for (row, &place) in lane.rows.iter().zip(&lane.places) {
                    if place >= (n * 256) as u32 && key(row[k]) == lane.best {
                        lane.winner = lane.winner.min(place);
                    }
                }
            }
            self.butterfly(|group, mask| {
                let others = group.shuffle(|lane| lane.winner, |lane| lane.lane ^ mask);
                group.lanes.iter_mut().zip(others).for_each(|(lane, winner)| lane.winner = lane.winner.min(winner));
            });
            let source = |lane: &Invocation| lane.lane / slice * slice + lane.winner as usize % 256 % slice;
            let pivot_rows: Vec<Vec<f32>> = (0..n)
                .map(|j| {
                    self.shuffle(
                        |lane| lane.rows[(lane.winner as usize % 256 / slice).min(lane.rows.len() - 1)][j],
                        source,
                    )
                })
                .collect();
            for (index, lane) in self.lanes.iter_mut().enumerate() {
                if lane.best == 0 && lane.status == 0 {
                    lane.status = k as i32 + 1;
                } else if lane.status == 0 && lane.best > LARGEST_PIVOT {
                    lane.status = -1;
                }
                let (winner, own) = (lane.winner, lane.lane % slice);
                lane.origins.push(winner as usize % 256);
                let reciprocal = 1.0 / pivot_rows[k][index];
                for (r, (row, place)) in lane.rows.iter_mut().zip(&mut lane.places).enumerate() {
                    let chosen = *place == winner;
                    let f = if chosen { 0.0 } else { row[k] } * reciprocal;
                    for j in 0..n {
                        row[j] -= f * pivot_rows[j][index];
                    }
                    row[k] = if chosen { 1.0 } else { -f };
                    if chosen {
                        lane.reciprocals[r] = reciprocal;
                        *place = (k * 256) as u32 + winner % 256;
                    } else if *place / 256 == (n + k) as u32 {
                        *place = (winner & !255) + (own + r * slice) as u32;
                    }
                }
            }
        }
        for lane in &mut self.lanes {
            for (row, reciprocal) in lane.rows.iter_mut().zip(&lane.reciprocals) {
                row.iter_mut().for_each(|x| *x *= reciprocal);
            }
            lane.finite = lane.rows.iter().zip(&lane.places).all(|(row, _)| row.iter().all(|x| x.is_finite()));
        }
        self.all_finite();
        for lane in &self.lanes {
            let Some(m) = lane.matrix else { continue };
            let own = lane.lane % slice;
            let status = if lane.status == 0 && !lane.finite { -1 } else { lane.status };
            if own == 0 {
                statuses[m] = status;
            }
            for (r, row) in lane.rows.iter().enumerate().filter(|(r, _)| own + r * slice < n) {
                let i = lane.places[r] as usize / 256;
                for (x, &origin) in row.iter().zip(&lane.origins) {
                    inverses[(m * n + i) * n + origin] = if status == 0 { *x } else { f32::NAN };
                }
            }
        }
    }
}

/// The matrices of one full workgroup, with a singular and a non-finite one at different positions.
fn matrices(variant: Variant, bad: usize, random: &mut Random) -> Vec<f32> {
    let (n, count) = (variant.order as usize, variant.matrices() as usize);
    let mut elements: Vec<f32> = (0..count).flat_map(|_| cases::uniform::<f32>(n, random)).collect();
    let zero = bad % count;
    for row in elements[zero * n * n..][..n * n].chunks_mut(n) {
        row[n / 2] = 0.0;
    }
    if count > 1 {
        let wild = (bad + 1) % count;
        elements[wild * n * n + bad % (n * n)] = [f32::NAN, f32::INFINITY][bad % 2];
    }
    elements
}

/// Asserts that the statuses are the reference's and that the inverses meet LAPACK's test ratio.
fn check(variant: Variant, sizes: &[usize], len: usize, elements: &[f32]) {
    let n = variant.order as usize;
    let stack = Stack::new(&elements[..len * n * n], n).unwrap();
    let (mut inverses, mut statuses) = (vec![7.0; len * n * n], vec![7; len]);
    Workgroup::new(variant, sizes, stack).run(&mut inverses, &mut statuses);
    let mut inverse = vec![0.0; n * n];
    for (m, x) in inverses.chunks(n * n).enumerate() {
        let status = invert_reference(stack.matrix(m), n, &mut inverse);
        assert_eq!(
            statuses[m],
            status.word(),
            "order {n}, {} lanes, sizes {sizes:?}, matrix {m}",
            config(variant).lanes
        );
        if status.word() == 0 {
            let ratio = oracle::ratio(stack.matrix(m), x, n);
            assert!(
                ratio < oracle::BOUND,
                "order {n}, {} lanes, sizes {sizes:?}, matrix {m}: {ratio}",
                config(variant).lanes
            );
        } else {
            assert!(x.iter().all(|x| x.is_nan()));
        }
    }
}

/// Subgroups of 4 to 128 lanes, sliced as the plan does for hardware and for
/// software. The largest exceed the workgroup.
#[test]
fn every_size() {
    let mut random = Random::new(4);
    for order in [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 24, 31, 32, 33, 48, 63, 64] {
        for size in [4, 8, 16, 32, 64, 128] {
            for software in [false, true] {
                let limits = with(GpuLimits::WEBGPU_DEFAULT, |limits| {
                    limits.subgroups = Some((size, size));
                    limits.software = software;
                });
                let plain = Variant::new(GpuKernel::Subgroup, ScalarKind::Float32, Precision::Native, order);
                let variant = plain.suited(&limits);
                let elements = matrices(variant, order as usize + size as usize, &mut random);
                let count = variant.matrices() as usize;
                for len in [count, count.div_ceil(2), 1] {
                    check(variant, &[size as usize], len, &elements);
                }
            }
        }
    }
}

/// Subgroup sizes that vary within a workgroup; slices are made for the smallest.
#[test]
fn varying_sizes() {
    let mut random = Random::new(5);
    for (smallest, sizes) in [(4, &[4, 8, 16, 4, 32][..]), (8, &[32, 16, 8, 8]), (16, &[16, 32]), (32, &[32, 128])] {
        for order in [3, 8, 16, 31, 33] {
            let limits = with(GpuLimits::WEBGPU_DEFAULT, |limits| limits.subgroups = Some((smallest, 128)));
            let plain = Variant::new(GpuKernel::Subgroup, ScalarKind::Float32, Precision::Native, order);
            let variant = plain.suited(&limits);
            // A singular and a non-finite matrix at every position.
            for bad in 0..variant.matrices() as usize {
                let elements = matrices(variant, bad, &mut random);
                check(variant, sizes, variant.matrices() as usize, &elements);
            }
        }
    }
    assert_eq!(SUBGROUP_WORKGROUP, 64, "the sizes above are chosen for workgroups of 64");
}
