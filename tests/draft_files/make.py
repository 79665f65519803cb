#!/usr/bin/env python3
"""Makes the Word letters beside it. The programs that wrote them differ in how they write, which is the point.

Needs python-docx, and LibreOffice (`soffice`) for the last one. Run it in this folder; the files are kept in the
repository, so that tests need neither.
"""

import pathlib
import shutil
import subprocess
import tempfile

from docx import Document
from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Inches

HERE = pathlib.Path(__file__).parent


def field(paragraph, name):
    """A merge field as Word writes it: begin, code, separate, result, end, each in a run of its own."""
    def mark(kind):
        char = OxmlElement("w:fldChar")
        char.set(qn("w:fldCharType"), kind)
        paragraph.add_run()._r.append(char)

    mark("begin")
    code = OxmlElement("w:instrText")
    code.text = f" MERGEFIELD {name} \\* MERGEFORMAT "
    paragraph.add_run()._r.append(code)
    mark("separate")
    paragraph.add_run(f"«{name}»")
    mark("end")


def link(paragraph, text, url):
    part = paragraph.part
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
    rel = part.relate_to(url, kind, is_external=True)
    element = parse_xml(f'<w:hyperlink {nsdecls("w")} {nsdecls("r")} r:id="{rel}"><w:r><w:t>{text}</w:t></w:r></w:hyperlink>')
    paragraph._p.append(element)


def merge_letter():
    document = Document()
    document.add_heading("Safe streets for our schools", level=1)
    paragraph = document.add_paragraph("Dear Mayor ")
    field(paragraph, "Last_Name")
    paragraph.add_run(",")
    paragraph = document.add_paragraph("I live in ")
    field(paragraph, "City")
    paragraph.add_run(", and I ask you to ")
    paragraph.add_run("act ").bold = True
    paragraph.add_run("now").bold = True
    paragraph.add_run(", not ")
    paragraph.add_run("some day").italic = True
    paragraph.add_run(". A fine of $1,000 * 2 is no answer. Read ")
    link(paragraph, "our report", "https://streets.example/a_report?x=1&y=2")
    paragraph.add_run(".")
    document.add_paragraph("lower the limit to 20 mph", style="List Bullet")
    document.add_paragraph("paint the crossings", style="List Bullet")
    document.add_paragraph("first this", style="List Number")
    document.add_paragraph("then that", style="List Number")
    document.add_paragraph("Sincerely,")
    paragraph = document.add_paragraph()
    paragraph._p.append(parse_xml(
        f'<w:fldSimple {nsdecls("w")} w:instr=" MERGEFIELD FullName "><w:r><w:t>«FullName»</w:t></w:r></w:fldSimple>'))
    document.save(HERE / "merge-fields.docx")


def form_letter():
    """Lines to write on as people draw them in Word, a content control, a table, tracked changes."""
    document = Document()
    document.sections[0].header.paragraphs[0].text = "Neighbors United, 1 Plaza"
    paragraph = document.add_paragraph("Date: ")
    run = paragraph.add_run("\t\t")
    run.underline = True
    paragraph = document.add_paragraph("Dear Council Member ")
    paragraph._p.append(parse_xml(
        f'<w:sdt {nsdecls("w")}><w:sdtPr><w:alias w:val="Name"/><w:showingPlcHdr/></w:sdtPr><w:sdtContent>'
        '<w:r><w:t>Click or tap here to enter text.</w:t></w:r></w:sdtContent></w:sdt>'))
    paragraph.add_run(":")
    paragraph = document.add_paragraph("Please vote ")
    paragraph._p.append(parse_xml(
        f'<w:del {nsdecls("w")} w:id="1" w:author="x"><w:r><w:delText>against</w:delText></w:r></w:del>'))
    paragraph._p.append(parse_xml(f'<w:ins {nsdecls("w")} w:id="2" w:author="x"><w:r><w:t>for</w:t></w:r></w:ins>'))
    paragraph.add_run(" the plan.")
    document.add_paragraph("Respectfully,")
    paragraph = document.add_paragraph("Signature")
    paragraph.paragraph_format.tab_stops.add_tab_stop(Inches(4), WD_TAB_ALIGNMENT.LEFT, WD_TAB_LEADER.LINES)
    leader = paragraph._p.pPr.find(qn("w:tabs"))[0]
    leader.set(qn("w:leader"), "underscore")
    paragraph.add_run("\t")
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).text = "Address:"
    table.cell(1, 0).text = "ZIP code:"
    document.save(HERE / "form.docx")


def office_letter():
    """A letter that LibreOffice wrote, from HTML."""
    html = """<html><body><p>Estimado Alcalde __________:</p>
    <p>Me llamo <b>__________</b> y vivo en __________. Le pido que <i>act&uacute;e</i> ya; vea
    <a href="https://calles.example/hechos">los hechos</a>.</p>
    <ul><li>m&aacute;s luz</li><li>menos coches</li></ul>
    <p>Atentamente,</p><p>______________________<br>(firma)</p></body></html>"""
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "carta.html"
        page.write_text(html, encoding="utf-8")
        subprocess.run(["soffice", "--headless", "--convert-to", "odt:writer8", "--outdir", folder, str(page)], check=True)
        odt = page.with_suffix(".odt")
        subprocess.run(["soffice", "--headless", "--convert-to", "docx:MS Word 2007 XML", "--outdir", folder, str(odt)], check=True)
        shutil.copy(page.with_suffix(".docx"), HERE / "carta.docx")
        shutil.copy(odt, HERE / "carta.odt")


merge_letter()
form_letter()
office_letter()
