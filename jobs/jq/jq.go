// Package jq runs the jq programs of sources, which neither loop for ever nor
// fill the memory of the process that asked: they run in child processes, one a
// source, which are reused.
//
// It promises that a program has no environment, no modules and no other input
// than the request, that it gets MaxMemory and Timeout and no more, and that
// only its own child ends when it wants more.
//
// It does not know events: what a program yields is JSON.
package jq

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Limits of a program.
const (
	MaxProgram = 64 << 10  // bytes of its text
	MaxMemory  = 128 << 20 // bytes of its child, all of it
	Timeout    = 500 * time.Millisecond
	MaxOutputs = 1000    // values that it yields
	maxAnswer  = 4 << 20 // bytes of all of them
)

// Input is what a program gets.
type Input struct {
	Body   []byte            `json:"body"`   // one JSON text; the program's .
	Header map[string]string `json:"header"` // by lower-case name; the program's $headers
}

// Fault is a program's own fault, in a sentence for people.
type Fault struct{ Text string }

func (f *Fault) Error() string { return f.Text }

func faultf(format string, args ...any) *Fault { return &Fault{fmt.Sprintf(format, args...)} }

// request asks a child to run a program, or only to compile it.
type request struct {
	Program string `json:"program"`
	Input   *Input `json:"input,omitempty"`
}

// answer is what a child says to a request.
type answer struct {
	Outputs []json.RawMessage `json:"outputs,omitempty"`
	Fault   string            `json:"fault,omitempty"`
}

// writeFrame writes v as JSON after its length in four bytes.
func writeFrame(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)) //nolint:gosec // far below 4 GiB
	return err
}

// readFrame reads what writeFrame wrote, of at most limit bytes.
func readFrame(r io.Reader, limit uint32, v any) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > limit {
		return errors.New("a message is too long")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
