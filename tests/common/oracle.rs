//! The definition of a right result: every engine's results are checked here.

use batchinv::{Real, Stack};

use super::Element;
use super::cases::{Case, Want, power};
use super::engines::{Engine, Outcome};

/// LAPACK accepts 30; this crate holds itself to 3.
pub const BOUND: f64 = 3.0;

/// A matrix divided by a power of two that brings its largest part into [1, 2),
/// with real and imaginary parts separate.
struct Scaled {
    re: Vec<f64>,
    /// Empty if every imaginary part is 0.
    im: Vec<f64>,
    exponent: i32,
    n: usize,
}

/// floor(log2(x)) of a positive finite number.
fn exponent(x: f64) -> i32 {
    let biased = (x.to_bits() >> 52) as i32;
    if biased > 0 { biased - 1023 } else { exponent(x * power(64)) - 64 }
}

/// x * 2^e, exact if the result is normal.
fn ldexp(x: f64, e: i32) -> f64 {
    let e = e.clamp(-3000, 3000);
    (0..4).fold(x, |x, quarter| x * power((e + quarter) >> 2))
}

impl Scaled {
    fn new<T: Element>(matrix: &[T], n: usize) -> Self {
        let largest = matrix.iter().map(|x| x.re_im().0.abs().max(x.re_im().1.abs())).fold(0.0, f64::max);
        let exponent = if largest > 0.0 && largest.is_finite() { exponent(largest) } else { 0 };
        let re = matrix.iter().map(|x| ldexp(x.re_im().0, -exponent)).collect();
        let im = if T::COMPLEX { matrix.iter().map(|x| ldexp(x.re_im().1, -exponent)).collect() } else { Vec::new() };
        Self { re, im, exponent, n }
    }

    /// The largest column sum.
    fn norm(&self) -> f64 {
        let mut sums = vec![0.0; self.n];
        for (index, re) in self.re.iter().enumerate() {
            sums[index % self.n] += self.im.get(index).map_or(re.abs(), |im| re.hypot(*im));
        }
        sums.into_iter().fold(0.0, nan_max)
    }

    /// ||scale I - self right||_1
    fn product_error(&self, right: &Self, scale: f64) -> f64 {
        let n = self.n;
        let mut sums = vec![0.0; n];
        let (mut re, mut im) = (vec![0.0; n], vec![0.0; n]);
        for i in 0..n {
            re.fill(0.0);
            im.fill(0.0);
            for k in 0..n {
                let row = &right.re[k * n..][..n];
                let x = self.re[i * n + k];
                re.iter_mut().zip(row).for_each(|(sum, a)| *sum += x * a);
                if !self.im.is_empty() {
                    let (y, imaginary) = (self.im[i * n + k], &right.im[k * n..][..n]);
                    re.iter_mut().zip(imaginary).for_each(|(sum, a)| *sum -= y * a);
                    im.iter_mut().zip(imaginary).for_each(|(sum, a)| *sum += x * a);
                    im.iter_mut().zip(row).for_each(|(sum, a)| *sum += y * a);
                }
            }
            re[i] -= scale;
            for (sum, (re, im)) in sums.iter_mut().zip(re.iter().zip(&im)) {
                *sum += re.hypot(*im);
            }
        }
        sums.into_iter().fold(0.0, nan_max)
    }

    /// The same at order 1. There, in float64, the rounding of the sums would be
    /// as large as the error to be measured.
    fn product_error_of_one(&self, right: &Self, scale: f64) -> f64 {
        let (mut re, mut im) = (Twice(-scale, 0.0), Twice(0.0, 0.0));
        re.add_product(self.re[0], right.re[0]);
        if let ([x], [y]) = (&self.im[..], &right.im[..]) {
            re.add_product(-x, *y);
            im.add_product(self.re[0], *y);
            im.add_product(*x, right.re[0]);
        }
        (re.0 + re.1).hypot(im.0 + im.1)
    }
}

/// A sum in twice the working precision: the rounded sum and the accumulated rounding errors (Ogita, Rump and Oishi,
/// "Accurate sum and dot product", 2005).
struct Twice(f64, f64);

impl Twice {
    fn add_product(&mut self, x: f64, y: f64) {
        let product = x * y;
        let sum = self.0 + product;
        let added = sum - self.0;
        self.1 += (self.0 - (sum - added)) + (product - added) + x.mul_add(y, -product);
        self.0 = sum;
    }
}

/// The larger number, or NaN if either is NaN.
fn nan_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// ||I - X A||_1 / (n ||A||_1 ||X||_1 eps). A and X are divided by powers of two first.
pub fn ratio<T: Element>(a: &[T], x: &[T], n: usize) -> f64 {
    ratio_by(if n == 1 { Scaled::product_error_of_one } else { Scaled::product_error }, a, x, n)
}

/// The same with sums in float64 at every order, as in the crate.
pub fn ratio_in_float64<T: Element>(a: &[T], x: &[T], n: usize) -> f64 {
    ratio_by(Scaled::product_error, a, x, n)
}

fn ratio_by<T: Element>(product_error: fn(&Scaled, &Scaled, f64) -> f64, a: &[T], x: &[T], n: usize) -> f64 {
    let (a, x) = (Scaled::new(a, n), Scaled::new(x, n));
    let scale = ldexp(1.0, -(a.exponent + x.exponent));
    product_error(&x, &a, scale) / (a.norm() * x.norm()) / (n as f64 * T::eps())
}

/// 1 / (||A||_1 ||X||_1)
pub fn rcond<T: Element>(a: &[T], x: &[T], n: usize) -> f64 {
    let (a, x) = (Scaled::new(a, n), Scaled::new(x, n));
    ldexp(1.0 / (a.norm() * x.norm()), -(a.exponent + x.exponent))
}

/// The most that rounding the entries of X to subnormal numbers, by half of the smallest one each, adds to the
/// first ratio: the smallest normal number over ||X||_1, and sqrt(2) times that for complex scalars.
pub fn subnormal_rounding<T: Element>(x: &[T], n: usize) -> f64 {
    let x = Scaled::new(x, n);
    2.0_f64.sqrt() * ldexp(1.0, T::MIN_EXPONENT - x.exponent) / x.norm()
}

/// ||X - Y||_1 / ||Y||_1
pub fn distance<T: Element>(x: &[T], y: &[T], n: usize) -> f64 {
    let y = Scaled::new(y, n);
    let mut difference = Scaled {
        re: x.iter().map(|x| ldexp(x.re_im().0, -y.exponent)).collect(),
        im: if T::COMPLEX { x.iter().map(|x| ldexp(x.re_im().1, -y.exponent)).collect() } else { Vec::new() },
        exponent: y.exponent,
        n,
    };
    difference.re.iter_mut().zip(&y.re).for_each(|(x, y)| *x -= y);
    difference.im.iter_mut().zip(&y.im).for_each(|(x, y)| *x -= y);
    difference.norm() / y.norm()
}

/// The failures of all engines. A test ends with [`Failures::none`].
#[derive(Debug, Default)]
pub struct Failures(Vec<String>);

impl Failures {
    pub fn push(&mut self, failure: String) {
        self.0.push(failure);
    }

    pub fn expect(&mut self, right: bool, failure: impl FnOnce() -> String) {
        if !right {
            self.0.push(failure());
        }
    }

    #[track_caller]
    pub fn none(self) {
        let shown: Vec<&str> = self.0.iter().take(30).map(String::as_str).collect();
        assert!(self.0.is_empty(), "{} failures, the first ones:\n{}", self.0.len(), shown.join("\n"));
    }
}

/// Inverts the cases as one stack on one engine, with rcond, and checks every matrix against its expected result.
pub fn check<T: Element>(engine: &Engine<T>, n: usize, cases: &[Case<T>], failures: &mut Failures) -> Outcome<T> {
    let elements = super::cases::elements(cases);
    let stack = Stack::with_len(&elements, n, cases.len()).expect("cases of one order");
    let outcome = engine.invert(stack);
    check_outcome(&engine.name, n, cases, &outcome, failures);
    outcome
}

/// The same for a result that has already been computed.
pub fn check_outcome<T: Element>(
    engine: &str,
    n: usize,
    cases: &[Case<T>],
    outcome: &Outcome<T>,
    failures: &mut Failures,
) {
    assert_eq!(outcome.elements.len(), n * n * cases.len());
    assert_eq!(outcome.statuses.len(), cases.len());
    for (m, case) in cases.iter().enumerate() {
        let x = &outcome.elements[m * n * n..][..n * n];
        let status = outcome.statuses[m];
        let rcond = outcome.rconds.as_ref().map(|rconds| (rconds[m].to_f64(), outcome.rcond_slack));
        let verdict = check_matrix(n, case, x, status, rcond);
        failures.expect(verdict.is_ok(), || {
            format!("{engine}, order {n}, matrix {m} ({}): {}", case.name, verdict.unwrap_err())
        });
    }
}

/// Checks one matrix. `rcond` comes with the error allowed in it, in units of roundoff.
fn check_matrix<T: Element>(
    n: usize,
    case: &Case<T>,
    x: &[T],
    status: i32,
    rcond: Option<(f64, f64)>,
) -> Result<(), String> {
    let wanted_status = match &case.want {
        Want::Status(status) => *status,
        Want::RatioOrSingular if (1..=n as i32).contains(&status) => status,
        _ => 0,
    };
    if status != wanted_status {
        return Err(format!("status {status}, not {wanted_status}"));
    }
    if status != 0 {
        if x.iter().any(|x| x.bits() != T::NAN.bits()) {
            return Err(format!("status {status}, but not filled with the standard NaN: {:?}", &x[..n.min(4)]));
        }
        return match rcond {
            Some((rcond, _)) if status > 0 && rcond != 0.0 => Err(format!("singular, with rcond {rcond}")),
            Some((rcond, _)) if status < 0 && !rcond.is_nan() => Err(format!("not finite, with rcond {rcond}")),
            _ => Ok(()),
        };
    }
    if !x.iter().all(|x| x.re_im().0.is_finite() && x.re_im().1.is_finite()) {
        return Err("status 0, but not finite".to_owned());
    }

    if let Want::Exactly(wanted) = &case.want {
        if let Some(at) = x.iter().zip(wanted).position(|(x, wanted)| x != wanted) {
            return Err(format!("element {at} is {:?}, not exactly {:?}", x[at], wanted[at]));
        }
    } else {
        let bound = if let Want::RatioBelow(bound) = case.want { bound } else { BOUND };
        let first = ratio(&case.matrix, x, n);
        // NaN fails too.
        if !matches!(first.partial_cmp(&bound), Some(std::cmp::Ordering::Less)) {
            return Err(format!("first ratio {first}"));
        }
        if matches!(case.want, Want::BothRatios) {
            let mirrored = ratio(x, &case.matrix, n);
            if !matches!(mirrored.partial_cmp(&bound), Some(std::cmp::Ordering::Less)) {
                return Err(format!("mirrored ratio {mirrored}"));
            }
        }
    }

    let own = self::rcond(&case.matrix, x, n);
    if let Some((rcond, units)) = rcond {
        // The second term allows for rounding in this oracle's sums, the last one for subnormal results.
        let slack =
            own * (units * T::eps() + 8.0 * n as f64 * f64::EPSILON) + power((T::MIN_EXPONENT - T::DIGITS).max(-1074));
        if !matches!(
            (rcond - own).abs().partial_cmp(&slack),
            Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)
        ) {
            return Err(format!("rcond {rcond}, not {own}"));
        }
    }
    Ok(())
}

/// Checks every inverse of an engine against the reference's. With X A = I + E and Y A = I + F, X - Y = (E - F)
/// A^-1; if both first ratios are below 3, ||X - Y|| / ||Y|| is at most 6 n eps / rcond, to first order.
/// Statuses must be equal except in cases whose pivots depend on rounding.
pub fn check_against_reference<T: Element>(
    engine: &str,
    n: usize,
    cases: &[Case<T>],
    outcome: &Outcome<T>,
    reference: &Outcome<T>,
    failures: &mut Failures,
) {
    for (m, case) in cases.iter().enumerate() {
        let (status, wanted) = (outcome.statuses[m], reference.statuses[m]);
        if matches!(case.want, Want::RatioOrSingular) && status != wanted {
            continue;
        }
        failures.expect(status == wanted, || {
            format!("{engine}, order {n}, matrix {m} ({}): status {status}, the reference's is {wanted}", case.name)
        });
        if (status, wanted) != (0, 0) {
            continue;
        }
        let range = m * n * n..(m + 1) * n * n;
        let (x, y) = (&outcome.elements[range.clone()], &reference.elements[range]);
        let slack = 2.0 * BOUND * n as f64 * T::eps() / rcond(&case.matrix, y, n);
        if slack < 0.25 && !matches!(case.want, Want::RatioBelow(_)) {
            let distance = distance(x, y, n);
            failures.expect(distance <= 2.0 * slack, || {
                format!(
                    "{engine}, order {n}, matrix {m} ({}): {distance} from the reference, at most {slack}",
                    case.name
                )
            });
        }
    }
}
