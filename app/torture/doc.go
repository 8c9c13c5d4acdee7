// Package torture is the crash and fault harness: real instances under load,
// with faults of their processes, database, disk and receivers, and changes to
// their webhooks and settings. The harness keeps its own record of the accepted
// events, the changes and the requests of each receiver, and compares them at
// the end.
//
// It consists of tests. make torture runs them for long; a short run is one of
// the tests of the program.
package torture
