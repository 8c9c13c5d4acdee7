package send

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"unicode/utf8"
)

// span is a range of bytes, its end excluded.
type span struct{ from, to int }

// view is a text as it reads after a spelling was undone.
type view struct {
	text []byte
	// back is where in the text before a part of this one stands.
	back   func(v *view, p span) span
	places []int32 // in the text before
	offset int     // in the text before, or among the places
	digits *digits
	// cut: where this text ends, the one that was received goes on.
	cut bool
	// inexact is how many bytes at the end of a secret may read differently.
	inexact int
}

// depth is how many spellings over one another are undone. Each further one
// multiplies the time that hostile texts take.
const depth = 2

// widest is how many bytes one byte takes in the widest usual spellings.
const widest = 6

// search finds secrets in a received text, in any spelling.
//
// It undoes one kind of spelling at a time and searches the result, kind after
// kind and one over another, instead of listing the spellings of a secret:
// encoders differ in the characters that they escape, and an escape has many
// forms. An encoded secret is therefore found in any surrounding text.
type search struct {
	secrets *secrets
	views   []view // each made of the one before; the first is the received text
	found   []span // in the received text
	looked  int    // bytes that were looked at, in all views

	// Texts that came out, and places in them. They are stacks, as views is.
	bytes  []byte
	places []int32

	meaning [longestEscape]byte // of an escape
}

// short is how long a text is, in bytes, that is searched without waiting.
const short = 4 << 10

// Searches are kept for their stacks. Those of a long text take several times
// its bytes, so only as many texts as there are processors are searched at
// once; more would not be done any sooner.
var (
	shortSearches = sync.Pool{New: func() any { return &search{} }}
	longSearches  = func() chan *search {
		free := make(chan *search, runtime.GOMAXPROCS(0))
		for range cap(free) {
			free <- &search{}
		}
		return free
	}()
)

// find returns the parts of a text that hold secrets, in order and apart from
// one another. cut: the text went on.
func (s *secrets) find(text []byte, cut bool) []span {
	if len(s.list) == 0 || !cut && len(text) < s.shortest {
		return nil
	}
	if len(text) <= short {
		f := shortSearches.Get().(*search)
		defer shortSearches.Put(f)
		return f.find(s, text, cut)
	}
	f := <-longSearches
	defer func() { longSearches <- f }()
	return f.find(s, text, cut)
}

func (f *search) find(s *secrets, text []byte, cut bool) []span {
	f.secrets, f.found = s, nil
	f.scan(view{text: text, cut: cut})
	clear(f.views[:cap(f.views)]) // they hold the text
	f.secrets = nil
	return mergeSpans(f.found)
}

// scan finds secrets in a view of the last one.
func (f *search) scan(v view) {
	level := len(f.views)
	f.views = append(f.views, v)
	f.looked += len(v.text)
	f.secrets.in(v.text, v.inexact, func(p span) { f.found = append(f.found, f.received(p)) })
	if v.cut {
		if i := f.secrets.begun(v.text); i < len(v.text) {
			f.found = append(f.found, span{f.received(span{i, len(v.text)}).from, len(f.views[0].text)})
		}
	}
	// Every second view is a piece of text inside the one before.
	if level < 2*depth {
		f.undo()
	}
	f.views = f.views[:level]
}

// received is the place of a part of the last view in the received text.
func (f *search) received(p span) span {
	for i := len(f.views) - 1; i > 0; i-- {
		p = f.views[i].back(&f.views[i], p)
	}
	return p
}

// undo undoes each spelling of the last view, in those parts of it that are
// text: bytes decoded from arbitrary digits seldom are.
func (f *search) undo() {
	v := f.views[len(f.views)-1]
	least := f.secrets.shortest
	for at := 0; at < len(v.text); at++ {
		from, marks := at, uint16(0)
		at, marks = textEnd(v.text, from)
		if cut := v.cut && at == len(v.text); at-from >= least || cut {
			// Of the digits in it, those that differ change more than themselves.
			f.views = append(f.views, view{text: v.text[from:at], back: backOffset, offset: from, cut: cut, inexact: 2 * v.inexact})
			f.undoText(marks)
			f.views = f.views[:len(f.views)-1]
		}
	}
}

// textEnd is where text ends that begins at a place, and the marks of escapes
// that it has.
func textEnd(text []byte, at int) (end int, marks uint16) {
	for at < len(text) {
		mark, n := markOf[text[at]], 1
		if mark&isText == 0 {
			if _, n = utf8.DecodeRune(text[at:]); n == 1 {
				break
			}
		}
		marks |= mark
		at += n
	}
	return at, marks
}

func (f *search) undoText(marks uint16) {
	reach := f.secrets.longest
	if len(f.views) < 2*depth {
		reach *= widest
	}
	for _, e := range escapes {
		if markOf[e.sign]&marks&^isText != 0 {
			f.undoEscapes(e, reach)
		}
	}
	for _, d := range []*digits{base16, base32Std, base32Hex, base64Any, base85} {
		f.undoDigits(d)
	}
	f.undoNumbers()
	f.undoDumps()
}

// markOf tells the bytes of text, and the signs of escapes. A zero is half of a
// character in UTF-16.
var markOf = func() (marks [256]uint16) {
	for _, c := range []byte("\t\n\r\x00") {
		marks[c] = isText
	}
	for c := byte(' '); c <= '~'; c++ {
		marks[c] = isText
	}
	for i, sign := range []byte("\\%+&=\"'\x00\xef") {
		marks[sign] |= 1 << i
	}
	return marks
}()

const isText = 1 << 15

// mergeSpans sorts parts, and merges those that overlap or touch.
func mergeSpans(parts []span) []span {
	slices.SortFunc(parts, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	merged := parts[:0]
	for _, p := range parts {
		if n := len(merged); n > 0 && p.from <= merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, p.to)
			continue
		}
		merged = append(merged, p)
	}
	return merged
}

func backOffset(v *view, p span) span { return span{v.offset + p.from, v.offset + p.to} }

// placeOf stores a place in half the memory of an int. A searched text has at
// most maxBody bytes.
func placeOf(at int) int32 { return int32(at) } //nolint:gosec // see above

// backPlaces: byte i began at places[i], and the last place is where the last
// byte ended. Several bytes may have come out of one place.
func backPlaces(v *view, p span) span {
	end := p.to
	for end < len(v.text) && v.places[end] == v.places[p.to-1] {
		end++
	}
	return span{int(v.places[p.from]), int(v.places[end])}
}
