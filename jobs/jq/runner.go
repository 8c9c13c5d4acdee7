package jq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	startTimeout = 10 * time.Second
	idleTimeout  = time.Minute // of a child that nobody asks
	maxRunning   = 4           // programs at one time
)

// Runner runs programs in child processes. Its methods may be called at once.
type Runner struct {
	argv    []string
	timeout time.Duration
	running chan struct{} // a place for each program that runs

	mu       sync.Mutex
	stopped  bool
	children map[string]*child // by source
}

// NewRunner makes a runner whose children are started by the command argv,
// which must call Serve with its standard input and output.
func NewRunner(argv ...string) *Runner {
	return &Runner{argv: argv, timeout: Timeout, running: make(chan struct{}, maxRunning), children: map[string]*child{}}
}

// ErrStopped is the error of a Runner that was stopped.
var ErrStopped = errors.New("jq: stopped")

// Check compiles a program. A *Fault says what is wrong with it; any other
// error means that no child could be asked.
func (r *Runner) Check(ctx context.Context, program string) error {
	_, err := r.ask(ctx, "", request{Program: program})
	return err
}

// Run returns the values that a program yields for an input, at most
// MaxOutputs. Programs of one source run one after another. A *Fault says what
// is wrong with program or body; any other error means that no child could be
// asked.
func (r *Runner) Run(ctx context.Context, source, program string, in Input) ([]json.RawMessage, error) {
	return r.ask(ctx, source, request{Program: program, Input: &in})
}

func (r *Runner) ask(ctx context.Context, source string, q request) ([]json.RawMessage, error) {
	c, err := r.acquire(ctx, source)
	if err != nil {
		return nil, err
	}
	defer r.release(source, c)
	select {
	case r.running <- struct{}{}:
		defer func() { <-r.running }()
	case <-ctx.Done():
		return nil, fmt.Errorf("jq: wait for a place: %w", ctx.Err())
	}
	a, err := c.ask(r.argv, q, r.timeout)
	if err != nil {
		return nil, err
	}
	if a.Fault != "" {
		return nil, &Fault{a.Fault}
	}
	return a.Outputs, nil
}

// Stop ends all children, and waits for the programs that run.
func (r *Runner) Stop() {
	r.mu.Lock()
	r.stopped = true
	children := r.children
	r.children = map[string]*child{}
	r.mu.Unlock()
	for _, c := range children {
		c.lock <- struct{}{}
		c.closed = true
		c.end()
		<-c.lock
	}
}

// acquire waits for the turn to use a source's child.
func (r *Runner) acquire(ctx context.Context, source string) (*child, error) {
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		return nil, ErrStopped
	}
	c := r.children[source]
	if c == nil {
		c = &child{lock: make(chan struct{}, 1)}
		r.children[source] = c
	}
	c.users++
	r.mu.Unlock()
	select {
	case c.lock <- struct{}{}:
		return c, nil
	case <-ctx.Done():
		r.mu.Lock()
		c.users--
		r.mu.Unlock()
		return nil, fmt.Errorf("jq: wait for the source's turn: %w", ctx.Err())
	}
}

// release gives the turn back. A child that nobody asks for a while ends.
func (r *Runner) release(source string, c *child) {
	<-c.lock
	r.mu.Lock()
	defer r.mu.Unlock()
	c.users--
	if r.stopped {
		return
	}
	if c.idle != nil {
		c.idle.Stop()
	}
	c.idle = time.AfterFunc(idleTimeout, func() { r.retire(source, c) })
}

// retire ends a child that nobody uses.
func (r *Runner) retire(source string, c *child) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.users > 0 || r.children[source] != c {
		return
	}
	delete(r.children, source)
	c.end()
}

// child is the process of one source. What follows lock belongs to the one that
// put something into it; users and idle belong to the Runner's mutex.
type child struct {
	users int
	idle  *time.Timer

	lock    chan struct{}
	closed  bool
	process *exec.Cmd // nil: not started, or ended
	in      io.WriteCloser
	out     io.ReadCloser
	done    chan struct{} // closed with its end
}

// ask starts the child if it must, and waits for its answer.
func (c *child) ask(argv []string, q request, timeout time.Duration) (answer, error) {
	if c.closed {
		return answer{}, ErrStopped
	}
	if c.process == nil {
		if err := c.start(argv); err != nil {
			return answer{}, fmt.Errorf("start jq: %w", err)
		}
	}
	process := c.process.Process
	timer := time.AfterFunc(timeout, func() { _ = process.Kill() }) // unless it has ended
	var a answer
	err := writeFrame(c.in, q)
	if err == nil {
		err = readFrame(c.out, maxAnswer, &a)
	}
	inTime := timer.Stop()
	switch {
	case err == nil && inTime:
		return a, nil
	case err == nil: // it answered at the last moment, and is being killed
		c.end()
		return a, nil
	case !inTime:
		c.end()
		return answer{}, faultf("The program ran longer than %d ms and was ended.", timeout.Milliseconds())
	default:
		return answer{}, deathFault(c.end())
	}
}

// deathFault says why a child ended by itself: it saw that it was late, or it
// got no more memory.
func deathFault(state *os.ProcessState) error {
	if state.ExitCode() == lateStatus {
		return faultf("The program ran too long and was ended.")
	}
	return faultf("The program used more than %d MiB of memory and was ended.", MaxMemory>>20)
}

// start starts the process, and waits until it is ready.
func (c *child) start(argv []string) error {
	if len(argv) == 0 {
		return errors.New("there is no command")
	}
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // the program itself; it outlives the request
	cmd.Env = []string{}
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if c.out, err = cmd.StdoutPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.process, c.done = cmd, make(chan struct{})
	go watchMemory(cmd.Process, c.done)
	timer := time.AfterFunc(startTimeout, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := readFrame(c.out, maxAnswer, new(answer)); err != nil {
		return fmt.Errorf("%w (%s)", err, c.end())
	}
	return nil
}

// end kills the process, if there is one, and returns the state that it left.
func (c *child) end() *os.ProcessState {
	if c.process == nil {
		return nil
	}
	cmd := c.process
	c.process = nil
	close(c.done)
	_ = cmd.Process.Kill() // unless it has ended
	_ = cmd.Wait()         // the state says the same
	return cmd.ProcessState
}
