package send

import (
	"slices"
	"strings"
)

// digits are spellings of groups of bytes in groups of digits.
type digits struct {
	bits int // of a digit; 0 with base 85, which has four bytes in five digits
	// phases is with how many digits of a run a group may begin: all that a
	// group has where digits of the text around may stand before it.
	phases int
	values [256]int8
}

// Entries of values for bytes that are not digits.
const (
	noDigit = -1
	between = -2 // may stand between digits
)

var (
	base16    = newDigits(4, 2, "0123456789abcdef", " \t\r\n:-,;")
	base32Std = newDigits(5, 1, "abcdefghijklmnopqrstuvwxyz234567", "")
	base32Hex = newDigits(5, 1, "0123456789abcdefghijklmnopqrstuv", "")
	// base64Any has both alphabets, which differ in two digits.
	base64Any = newDigits(6, 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "\r\n")
	base85    = newASCII85()
)

func newDigits(bits, phases int, alphabet, separators string) *digits {
	d := &digits{bits: bits, phases: phases}
	for i := range d.values {
		d.values[i] = noDigit
	}
	for _, c := range []byte(separators) {
		d.values[c] = between
	}
	for i, c := range []byte(alphabet) {
		d.values[c] = int8(i)
		if bits < 6 {
			d.values[strings.ToUpper(alphabet)[i]] = int8(i)
		}
	}
	if bits == 6 {
		d.values['-'], d.values['_'] = d.values['+'], d.values['/']
	}
	return d
}

func newASCII85() *digits {
	var alphabet []byte
	for c := byte('!'); c <= 'u'; c++ {
		alphabet = append(alphabet, c)
	}
	d := newDigits(0, 5, "", "\r\n")
	for i, c := range alphabet {
		d.values[c] = int8(i)
	}
	return d
}

// least is how many digits so many bytes take.
func (d *digits) least(size int) int {
	if d.bits == 0 {
		return size + size/4
	}
	return (size*8 + d.bits - 1) / d.bits
}

// end is where a run of digits ends that begins at a place.
func (d *digits) end(text []byte, at int) int {
	for {
		for at < len(text) && d.values[text[at]] != noDigit {
			at++
		}
		if d != base16 || !isPrefix(text, at) {
			return at
		}
		at++
	}
}

// isPrefix finds the x of 0x.
func isPrefix(text []byte, at int) bool {
	return at > 0 && at < len(text) && text[at]|0x20 == 'x' && text[at-1] == '0'
}

// undoDigits searches the decoded bytes of every run of digits.
func (f *search) undoDigits(d *digits) {
	v := f.views[len(f.views)-1]
	least := d.least(f.secrets.shortest)
	if len(v.text) < least && !v.cut {
		return
	}
	for at := 0; at < len(v.text); at++ {
		from := at
		at = d.end(v.text, from)
		if cut := v.cut && at == len(v.text); at-from >= least || cut && at > from {
			f.undoRun(d, v.text[from:at], from, cut)
		}
	}
}

// undoRun searches the decoded bytes of a run of digits. Other digits may stand
// before those of the secret, so it is read from each digit with which a group
// may begin.
func (f *search) undoRun(d *digits, run []byte, from int, cut bool) {
	b, p := len(f.bytes), len(f.places)
	for i, c := range run {
		if d.values[c] >= 0 {
			f.bytes, f.places = append(f.bytes, c), append(f.places, placeOf(from+i))
		} else if len(f.bytes) > b && isPrefix(run, i) && i+2 < len(run) && d.values[run[i+2]] >= 0 { // 0xa has its zero
			f.bytes, f.places = f.bytes[:len(f.bytes)-1], f.places[:len(f.places)-1]
		}
	}
	run, places := f.bytes[b:], f.places[p:]
	for phase := range min(d.phases, len(run)) {
		v := view{back: backDigits, places: places[phase:], digits: d, cut: cut, inexact: f.views[len(f.views)-1].inexact}
		begin := len(f.bytes)
		if d == base85 {
			f.bytes = appendASCII85(f.bytes, run[phase:])
			// Nearly all of ASCII are its digits. Those of the text around may
			// follow those of the secret and change its last bytes.
			v.inexact += 3
		} else {
			f.bytes = d.append(f.bytes, run[phase:])
		}
		v.text = f.bytes[begin:]
		f.scan(v)
		f.bytes = f.bytes[:begin]
	}
	f.bytes, f.places = f.bytes[:b], f.places[:p]
}

// append adds the bytes that digits stand for.
func (d *digits) append(out, run []byte) []byte {
	begin := len(out)
	out = slices.Grow(out, len(run)*d.bits/8)
	out = out[:begin+len(run)*d.bits/8]
	have, held, n := 0, 0, begin
	for _, c := range run {
		have, held = have<<d.bits&0xffff|int(d.values[c]), held+d.bits
		if held >= 8 {
			held -= 8
			out[n] = byte(have >> held & 0xff)
			n++
		}
	}
	return out
}

func appendASCII85(out, run []byte) []byte {
	for len(run) > 1 {
		n := min(5, len(run))
		group := uint32(0)
		for i := range 5 {
			value := uint32(84) // of a group that is not whole
			if i < n {
				value = uint32(run[i] - '!')
			}
			group = group*85 + value
		}
		for i := range n - 1 {
			out = append(out, byte(group>>(24-8*i)&0xff))
		}
		run = run[n:]
	}
	return out
}

func backDigits(v *view, p span) span {
	var first, last int
	if v.digits == base85 {
		first, last = p.from/4*5, min((p.to-1)/4*5+4, len(v.places)-1)
	} else {
		first, last = p.from*8/v.digits.bits, (p.to*8-1)/v.digits.bits
	}
	return span{int(v.places[first]), int(v.places[last]) + 1}
}
