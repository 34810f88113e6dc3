// The filling of a result that does not exist. `OnFailure` is the twin on the host, in this order.

const FILL_NAN = 0u;
const FILL_ZERO = 1u;
const FILL_IDENTITY = 2u;
const FILL_INPUT = 3u;

fn store_failed(m: u32, i: u32, j: u32) {
    var x = NAN_ELEMENT;
    if ON_FAILURE == FILL_ZERO || ON_FAILURE == FILL_IDENTITY {
        x = from_word(word(select(ZERO, ONE, ON_FAILURE == FILL_IDENTITY && i == j)));
    }
    if ON_FAILURE == FILL_INPUT {
        x = given_result(m, i, j);
    }
    put(output_at(m, i, j), x);
}
