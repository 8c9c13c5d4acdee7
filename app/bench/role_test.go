package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Parts that do not belong to Sitehooks run in processes of their own, so that
// their time is not counted as Sitehooks', and so that the raw loop crosses the
// same borders as a delivery does. They are this test binary once more.
const (
	roleVariable  = "SITEHOOKS_BENCH_ROLE"
	orderVariable = "SITEHOOKS_BENCH_ORDER" // in JSON, for a role that ends with a result
)

// playRole does the part of one such process; false: this is none.
func playRole() bool {
	var result any
	var err error
	order := []byte(os.Getenv(orderVariable))
	switch role := os.Getenv(roleVariable); role {
	case "":
		return false
	case "receiver":
		err = receive(os.Stdin, os.Stdout)
	case "raw":
		result, err = ordered(order, rawLoop)
	case "bare queue":
		err = serveBareQueue(order, os.Stdin, os.Stdout)
	case "limit":
		result, err = ordered(order, limitLoop)
	case "load":
		result, err = ordered(order, load)
	case "reader":
		result, err = ordered(order, read)
	default:
		err = fmt.Errorf("there is no role %q", role)
	}
	if err == nil && result != nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// ordered reads the order of a role and does it.
func ordered[Order, Result any](text []byte, do func(Order) (Result, error)) (any, error) {
	var order Order
	if err := json.Unmarshal(text, &order); err != nil {
		return nil, err
	}
	return do(order)
}

func roleCommand(role string, order []byte) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, orderVariable+"="+string(order))
	return cmd
}

// perform has a process do an order and returns its result.
func perform[Result any](t testing.TB, role string, order any) (result Result) {
	t.Helper()
	text, err := json.Marshal(order)
	ok(t, err)
	cmd := roleCommand(role, text)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", role, err, errs.String())
	}
	ok(t, json.Unmarshal(out.Bytes(), &result))
	return result
}
