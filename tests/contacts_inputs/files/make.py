#!/usr/bin/env python3
"""Makes the files beside it, as spreadsheets write them. Needs openpyxl, XlsxWriter and LibreOffice; tests do not.

Every workbook holds the same people, so that one test can ask the same of all of them: an official, a constituent whose
postcode has a leading zero that only the cell's format shows, a date as a number, a line break in a cell, a formula and
a row that is hidden.
"""

import datetime
import pathlib
import subprocess
import tempfile

import openpyxl
import xlsxwriter

HERE = pathlib.Path(__file__).resolve().parent
HEADER = ["role", "title", "name", "email", "jurisdiction", "address", "postcode", "signed_on", "note", "visits"]
DAY = datetime.date(2026, 3, 4)
PEOPLE = [
    ["official", "Mayor", "Zoë Müller", "mayor@elgin.example", "Elgin", "", None, None, "", None],
    ["constituent", "Ms", "Chloé O’Neil", "chloe@x.example", "Elgin", "1 Main St\nApt 2", 1234, DAY, "“Stop” & <go>", 1234567],
    ["constituent", "", "José Ångström", "jose@x.example", "Elgin", "2 Main St", 60612, DAY, True, 0.5],
]


def openpyxl_workbook():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Signers"
    sheet.append(HEADER)
    for person in PEOPLE:
        sheet.append(person)
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, 7).number_format = "00000"
        sheet.cell(row, 8).number_format = "yyyy-mm-dd"
        sheet.cell(row, 10).number_format = "#,##0"
    sheet["J4"].number_format = "0%"
    sheet.row_dimensions[4].hidden = True
    for row in range(5, 200):  # formatted and empty
        sheet.cell(row, 3).font = openpyxl.styles.Font(bold=True)
    hidden = book.create_sheet("Old", 0)
    hidden.append(["this", "is", "hidden"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Lists").append(["Ward", "Party"])
    book.save(HERE / "openpyxl.xlsx")


def xlsxwriter_workbook():
    book = xlsxwriter.Workbook(HERE / "xlsxwriter.xlsx", {"constant_memory": True, "date_1904": True})
    sheet = book.add_worksheet("Signers")
    code, date = book.add_format({"num_format": "00000"}), book.add_format({"num_format": "m/d/yyyy"})
    short_date = book.add_format({"num_format": 14})
    sheet.write_row(0, 0, HEADER)
    for row, person in enumerate(PEOPLE, start=1):
        for column, value in enumerate(person):
            if column == 6 and value is not None:
                sheet.write_number(row, column, value, code)
            elif column == 7 and value is not None:
                sheet.write_datetime(row, column, datetime.datetime(2026, 3, 4), date if row == 2 else short_date)
            elif value is not None:
                sheet.write(row, column, value)
    row = len(PEOPLE) + 1
    sheet.write_row(row, 0, ["constituent", "", "Dee Fault", "dee@x.example", "Elgin"])
    sheet.write_formula(row, 5, "=NA()", None, "#N/A")
    sheet.write_formula(row, 6, '="606"&"12"', None, "60612")
    book.close()


def libreoffice_files():
    with tempfile.TemporaryDirectory() as folder:
        for kind in ["ods", "xlsx"]:
            subprocess.run(
                ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", kind,
                 "--outdir", folder, str(HERE / "openpyxl.xlsx")],
                check=True, stdout=subprocess.DEVNULL,
            )
            (pathlib.Path(folder) / f"openpyxl.{kind}").rename(HERE / f"libreoffice.{kind}")
        # Token 1 is the delimiter, 3 the encoding: 1 Windows-1252, 2 Mac Roman, 76 UTF-8, 65535 UTF-16.
        for name, delimiter, encoding in [("semicolon-1252", 59, 1), ("tab-utf16", 9, 65535), ("comma-utf8", 44, 76),
                                          ("pipe-mac", 124, 2)]:
            options = f"csv:Text - txt - csv (StarCalc):{delimiter},34,{encoding},1,,0,false,true,false,false,false,2"
            subprocess.run(
                ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", options,
                 "--outdir", folder, str(HERE / "openpyxl.xlsx")],
                check=True, stdout=subprocess.DEVNULL,
            )
            written = next(pathlib.Path(folder).glob("openpyxl*.csv"))
            written.rename(HERE / f"libreoffice-{name}.csv")


if __name__ == "__main__":
    openpyxl_workbook()
    xlsxwriter_workbook()
    libreoffice_files()
