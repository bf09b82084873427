//! Here-documents.

use super::Scanner;
use crate::config::script::refusal::Refusal;

impl Scanner<'_> {
    /// `<<WORD`. The text of the here-document begins in the next line.
    pub(super) fn begin_document(&mut self) -> Result<(), Refusal> {
        self.copy_to(self.at + 2);
        let tabs = self.rest().starts_with('-');
        self.copy_to(self.at + usize::from(tabs));
        let blanks = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        self.copy_to(self.at + blanks);
        let length =
            self.rest().find([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']).unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        Self::refuse_in(word, "stands in the word that ends a here-document", "write a fixed word")?;
        let end = word.replace(['\'', '"', '\\'], "");
        if end.is_empty() || word.contains(['$', '`']) || word.matches(['\'', '"']).count() % 2 == 1 {
            self.lost = Some("a here-document");
        }
        self.documents.push_back((end, tabs));
        self.copy_to(self.at + length);
        Ok(())
    }

    /// Copies the here-documents that begin in this line.
    pub(super) fn documents(&mut self) -> Result<(), Refusal> {
        while let Some((end, tabs)) = self.documents.pop_front() {
            while !self.rest().is_empty() {
                let length = self.rest().find('\n').map_or(self.rest().len(), |at| at + 1);
                let line = &self.rest()[..length];
                let message = "stands in a here-document, which may be code for the program that reads it";
                let help = "print it with `printf '%s\\n' \"%{…}\"`";
                Self::refuse_in(line, message, help)?;
                if self.code_follows {
                    self.refuse_tainted_in(line, message, help)?;
                }
                self.copy_to(self.at + length);
                let line = line.trim_end_matches('\n');
                if (if tabs { line.trim_start_matches('\t') } else { line }) == end {
                    break;
                }
            }
        }
        self.code_follows = false;
        Ok(())
    }
}
