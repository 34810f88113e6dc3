// A bank of Kalman filters: `predict` and `update`. The innovation covariances are inverted between the two.
//
// Two radars measure each target's position, so H consists of two identity matrices on the position, one above
// the other. This is the textbook filter with 6 states and 6 measurements, written in 3x3 blocks.

struct Scenario {
    radars: array<vec4<f32>, 2>,
    // Seconds between frames.
    dt: f32,
    // Spectral density of the targets' acceleration, m^2/s^3.
    agility: f32,
    // Standard deviations of a radar: meters along the line of sight, radians across.
    range_sigma: f32,
    angle_sigma: f32,
}

// Mean and covariance, in meters and seconds; pv is the covariance of position and velocity.
struct Track {
    position: vec3<f32>,
    velocity: vec3<f32>,
    pp: mat3x3<f32>,
    pv: mat3x3<f32>,
    vv: mat3x3<f32>,
}

@group(0) @binding(0) var<uniform> scenario: Scenario;
@group(0) @binding(1) var<storage, read_write> tracks: array<Track>;
// Row-major 6x6 matrices: S after `predict`, its inverse before `update`.
@group(0) @binding(2) var<storage, read_write> innovations: array<array<f32, 36>>;
@group(0) @binding(3) var<storage, read> measured: array<array<vec4<f32>, 2>>;

// A diagonal matrix.
fn diagonal(x: f32) -> mat3x3<f32> {
    return mat3x3(x, 0, 0, 0, x, 0, 0, 0, x);
}

// The covariance of a measurement at this place: an ellipsoid aligned with the line of sight.
fn noise(place: vec3<f32>, radar: vec3<f32>) -> mat3x3<f32> {
    let sight = place - radar;
    let along = scenario.range_sigma * scenario.range_sigma;
    let across = scenario.angle_sigma * scenario.angle_sigma * dot(sight, sight);
    let d = normalize(sight);
    return diagonal(across) + (along - across) * mat3x3(d * d.x, d * d.y, d * d.z);
}

@compute @workgroup_size(64)
fn predict(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&tracks) {
        return;
    }
    var t = tracks[id.x];
    let dt = scenario.dt;
    let q = scenario.agility;
    t.position += dt * t.velocity;
    t.pp += dt * (t.pv + transpose(t.pv)) + dt * dt * t.vv + diagonal(q * dt * dt * dt / 3);
    t.pv += dt * t.vv + diagonal(q * dt * dt / 2);
    t.vv += diagonal(q * dt);
    tracks[id.x] = t;

    var own = array(noise(t.position, scenario.radars[0].xyz), noise(t.position, scenario.radars[1].xyz));
    for (var i = 0u; i < 6; i++) {
        for (var j = 0u; j < 6; j++) {
            var s = t.pp[j % 3][i % 3];
            if i / 3 == j / 3 {
                s += own[i / 3][j % 3][i % 3];
            }
            innovations[id.x][6 * i + j] = s;
        }
    }
}

@compute @workgroup_size(64)
fn update(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= arrayLength(&tracks) {
        return;
    }
    var t = tracks[id.x];
    // H^T S^-1, the weight of each radar; then H^T S^-1 H, the sum of the two.
    var weight: array<mat3x3<f32>, 2>;
    for (var i = 0u; i < 3; i++) {
        for (var j = 0u; j < 6; j++) {
            weight[j / 3][j % 3][i] = innovations[id.x][6 * i + j] + innovations[id.x][6 * (i + 3) + j];
        }
    }
    let both = weight[0] + weight[1];
    let z = measured[id.x];
    let surprise = weight[0] * (z[0].xyz - t.position) + weight[1] * (z[1].xyz - t.position);
    t.position += t.pp * surprise;
    t.velocity += transpose(t.pv) * surprise;
    let gain = t.pp * both;
    t.vv -= transpose(t.pv) * both * t.pv;
    t.pv -= gain * t.pv;
    t.pp -= gain * t.pp;
    // Restore the symmetry that rounding disturbs; otherwise the error would grow from frame to frame.
    t.pp = 0.5 * (t.pp + transpose(t.pp));
    t.vv = 0.5 * (t.vv + transpose(t.vv));
    tracks[id.x] = t;
}
