// Package torture is the crash and fault harness: real instances under load,
// whose processes, database, disk, receivers, webhooks and settings are given
// no peace. What the site was told to be accepted, what was changed when, and
// what each receiver got is kept apart from the product and compared at the
// end.
//
// It consists of tests. make torture runs them for long; a short run is one of
// the tests of the program.
package torture
