// Package apptest has what tests of the program need: it builds the program and
// starts instances of it on a new database, drives their console as a browser
// without JavaScript, reports events as a site does, and receives what is
// delivered.
//
// It knows the program by its command line, its environment and HTTP alone, but
// for what fills a database before an instance starts.
package apptest
