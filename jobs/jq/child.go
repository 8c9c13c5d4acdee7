package jq

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// lateStatus is the exit status of a child that took too long and was not ended.
const lateStatus = 3

// Serve is the child process: it answers requests from in until in ends.
// Nothing may have been read from in before.
func Serve(in io.Reader, out io.Writer) error {
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(MaxMemory / 2)
	if err := limitMemory(); err != nil {
		return err
	}
	if err := writeFrame(out, answer{}); err != nil { // it is ready
		return err
	}
	var c compiler
	for {
		var r request
		if err := readFrame(in, math.MaxInt32, &r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		// The parent ends a child that takes too long, unless it has ended
		// before.
		late := time.AfterFunc(4*Timeout, func() { os.Exit(lateStatus) })
		a := c.answer(r)
		late.Stop()
		if err := writeFrame(out, a); err != nil {
			return err
		}
	}
}

// compiler keeps the program that it compiled last.
type compiler struct {
	text string
	code *gojq.Code
}

func (c *compiler) answer(r request) answer {
	if c.code == nil || c.text != r.Program {
		code, err := compile(r.Program)
		if err != nil {
			return answer{Fault: err.Error()}
		}
		c.text, c.code = r.Program, code
	}
	if r.Input == nil {
		return answer{}
	}
	outputs, err := run(c.code, *r.Input)
	if err != nil {
		return answer{Fault: err.Error()}
	}
	return answer{Outputs: outputs}
}

func compile(program string) (*gojq.Code, error) {
	if len(program) > MaxProgram {
		return nil, faultf("The program has %d bytes, more than %d.", len(program), MaxProgram)
	}
	if strings.TrimSpace(program) == "" {
		return nil, faultf("The program is empty.")
	}
	query, err := gojq.Parse(program)
	if err != nil {
		return nil, parseFault(program, err)
	}
	code, err := gojq.Compile(query, gojq.WithVariables([]string{"$headers"}))
	if err != nil {
		return nil, faultf("The program cannot be compiled: %s.", shorten(err))
	}
	return code, nil
}

// parseFault says where in the program the fault is.
func parseFault(program string, err error) error {
	var at *gojq.ParseError
	if !errors.As(err, &at) {
		return faultf("The program cannot be compiled: %s.", shorten(err))
	}
	before := program[:min(max(at.Offset-len(at.Token), 0), len(program))]
	line := 1 + strings.Count(before, "\n")
	column := len([]rune(before)) - len([]rune(before[:strings.LastIndexByte(before, '\n')+1])) + 1
	return faultf("The program cannot be compiled: %s (line %d, column %d).", shorten(err), line, column)
}

func run(code *gojq.Code, in Input) ([]json.RawMessage, error) {
	input := json.NewDecoder(bytes.NewReader(in.Body))
	input.UseNumber() // so that long ids stay what they are
	var body any
	if err := input.Decode(&body); err != nil {
		return nil, faultf("The body is not JSON: %s.", shorten(err))
	}
	headers := map[string]any{}
	for name, value := range in.Header {
		headers[name] = value
	}
	outputs, size := []json.RawMessage{}, 0
	for values := code.Run(body, headers); ; {
		v, more := values.Next()
		if !more {
			return outputs, nil
		}
		if err, failed := v.(error); failed {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				return outputs, nil
			}
			return nil, faultf("The program failed: %s.", shorten(err))
		}
		if len(outputs) == MaxOutputs {
			return nil, faultf("The program yields more than %d events.", MaxOutputs)
		}
		text, err := gojq.Marshal(v)
		if err != nil {
			return nil, faultf("The program failed: %s.", shorten(err))
		}
		if !json.Valid(text) { // gojq writes what is nested deeper than encoding/json takes
			return nil, faultf("The program yields a value that is nested too deeply.")
		}
		if size += len(text); size > maxAnswer/2 {
			return nil, faultf("The program yields more than %d MiB.", maxAnswer>>21)
		}
		outputs = append(outputs, text)
	}
}

// shorten is the text of an error, which may quote much of the body.
func shorten(err error) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(err.Error(), "?")), " ")
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}
