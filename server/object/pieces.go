// Long documents: they are read in pieces, because the time that the parser takes grows with the square of the length of a mapping.

package object

import (
	"bytes"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

const (
	longText = 64 << 10 // bytes from which a text is read in pieces
	maxPiece = 200      // entries of a section in a piece
)

// piece is a part of a text: whole entries of one mapping.
type piece struct {
	text []byte
	line int // before its first
}

// chapter is a section of a document: the line of its name, and what stands below in pieces. One that is not cut has all of it in head.
type chapter struct {
	head    piece
	entries []piece
}

// parsePieces returns the mapping that a long text is; ok is false if it cannot be cut, and is to be read as a whole.
func parsePieces(b []byte) (body ast.Node, err error, ok bool) {
	chapters, ok := cut(b)
	if !ok {
		return nil, nil, false
	}
	var all []*ast.MappingValueNode
	for _, c := range chapters {
		head, err := c.head.pairs()
		if err != nil {
			return nil, err, true
		}
		all = append(all, head...)
		if len(c.entries) == 0 || len(head) != 1 {
			continue
		}
		var entries []*ast.MappingValueNode
		for _, p := range c.entries {
			some, err := p.pairs()
			if err != nil {
				return nil, err, true
			}
			entries = append(entries, some...)
		}
		if len(entries) > 0 {
			head[0].Value = ast.Mapping(entries[0].GetToken(), false, entries...)
		}
	}
	if len(all) == 0 {
		return nil, nil, true
	}
	return ast.Mapping(all[0].GetToken(), false, all...), nil, true
}

// pairs reads a piece, with the lines of the text that it is a part of.
func (p piece) pairs() ([]*ast.MappingValueNode, error) {
	tokens := lexer.Tokenize(string(p.text))
	for _, t := range tokens {
		t.Position.Line += p.line
	}
	n, err := oneDocument(parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()))
	if err != nil || n == nil {
		return nil, err
	}
	return entriesOf(n)
}

// cut cuts a text of block mappings: each section at the names that stand directly below its own. What stands in a value is indented further than its name, whatever it is (YAML 1.2.2
// §6.1), so that a line which is not begins something. ok is false where the text is another one.
func cut(b []byte) (all []chapter, ok bool) {
	var c *cutter
	for number := 0; len(b) > 0; number++ {
		length := bytes.IndexByte(b, '\n') + 1
		if length == 0 {
			length = len(b)
		}
		line := bytes.TrimRight(b[:length], "\r\n ")
		text := bytes.TrimLeft(line, " ")
		indent := len(line) - len(text)
		switch {
		case len(text) == 0 || text[0] == '#':
		case indent == 0:
			if bytes.IndexByte([]byte("-.%{[\t?&*!"), text[0]) >= 0 {
				return nil, false
			}
			all = append(all, chapter{head: piece{line: number}})
			c = &cutter{open: text[len(text)-1] == ':'}
		case c == nil || text[0] == '\t' || !c.next(&all[len(all)-1], indent, text, number):
			return nil, false
		}
		if c != nil {
			c.add(&all[len(all)-1], b[:length])
		}
		b = b[length:]
	}
	return all, true
}

// cutter is where a chapter is being cut.
type cutter struct {
	open   bool // its entries stand on the lines below
	indent int  // of its entries; 0: none has come
	count  int  // of entries in the last piece
}

// next takes a line of a chapter with something on it; it reports whether it fits.
func (c *cutter) next(to *chapter, indent int, text []byte, number int) bool {
	switch {
	case !c.open:
		return true
	case c.indent == 0 && text[0] == '-':
		c.open = false // a list
		return true
	case c.indent == 0:
		c.indent, c.count = indent, maxPiece
	case indent < c.indent:
		return false
	}
	if indent > c.indent {
		return true
	}
	if c.count++; c.count > maxPiece {
		to.entries = append(to.entries, piece{line: number})
		c.count = 1
	}
	return true
}

// add puts a line to the piece that is being cut. What comes before the first entry belongs to the head.
func (c *cutter) add(to *chapter, line []byte) {
	p := &to.head
	if n := len(to.entries); n > 0 {
		p = &to.entries[n-1]
	}
	p.text = append(p.text, line...)
}
