package jq

import (
	"context"
	"encoding/json"
	"time"
)

// SetTimeout is for the programs asked for from now on.
func (r *Runner) SetTimeout(d time.Duration) { r.timeout = d }

// Talk is the conversation of a child in this process: a request to compile a
// program or, with an input, to run it too, again and again.
type Talk struct{ c compiler }

// Check compiles a program, and returns its fault in words.
func (t *Talk) Check(program string) (fault string) {
	return t.c.answer(request{Program: program}).Fault
}

// Run is what a program yields for an input, or its fault in words.
func (t *Talk) Run(program string, in Input) (outputs []json.RawMessage, fault string) {
	a := t.c.answer(request{Program: program, Input: &in})
	return a.Outputs, a.Fault
}

// ReadFrame and WriteFrame are how parent and child write to one another.
var (
	ReadFrame  = readFrame
	WriteFrame = writeFrame
)

// Retire ends the child of a source as if nobody had asked it for a while.
func (r *Runner) Retire(source string) { r.retire(source, r.childOf(source)) }

// Pid is the number of the process of a source; 0: there is none.
func (r *Runner) Pid(source string) int {
	if c := r.childOf(source); c != nil && c.process != nil {
		return c.process.Process.Pid
	}
	return 0
}

func (r *Runner) childOf(source string) *child {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.children[source]
}

// WaitTurn waits for a source's turn, and keeps it until it is given back.
func (r *Runner) WaitTurn(ctx context.Context, source string) (giveBack func(), err error) {
	c, err := r.acquire(ctx, source)
	return func() { r.release(source, c) }, err
}

// TakePlaces takes all places for programs, until they are given back.
func (r *Runner) TakePlaces() (giveBack func()) {
	for range maxRunning {
		r.running <- struct{}{}
	}
	return func() {
		for range maxRunning {
			<-r.running
		}
	}
}
